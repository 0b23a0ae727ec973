"""Reads the documents of a Python installation: made-up ones with a file for every rule, and the real one."""

from itertools import islice
from pathlib import Path

from bughunt.lab.measuring import texts
from bughunt.lab.measuring.long_texts import draw_long_texts
from bughunt.lab.measuring.own_folder import own_folder
from bughunt.lab.measuring.refusals import refusal
from bughunt.lab.measuring.replacing import environment

SKIPPED_FOLDERS = (
    "__phello__", "__pycache__", "dist-packages", "encodings", "idle_test", "lib2to3", "site-packages",
    "test", "tests", "config-3.11", "_sysconfigdata_x",
)  # fmt: skip
SKIPPED_FILES = ("entities.py", "stringprep.py", "_sysconfigdata_a.py", "_sysconfig_vars_b.py", "config-c.py")


def draw(rng):
    """The files of an installation by name, many of them one document; long texts to be cut."""
    names = [f"{texts.word(rng)}{number}" for number in range(60)]
    files = {f"{name}.py": f"{name} = 1\n" for name in names[:57]}
    files |= {f"{name}/inner/{name}.py": f"{name} = 2\n" for name in names[57:]}
    files |= {f"{folder}/{names[0]}.py": "skipped" for folder in SKIPPED_FOLDERS}
    files |= {f"{names[1]}/{folder}/a.py": "skipped" for folder in SKIPPED_FOLDERS[-2:]}
    files |= dict.fromkeys(SKIPPED_FILES, "skipped")
    files |= {f"{names[1]}/{name}": "skipped" for name in (*SKIPPED_FILES, "a.txt", "a.pyc", "py")}
    files |= {f"{names[2]}test.py": "kept\n", "tests2/a.py": "kept, too\n", "latest/config.py": "and this\n"}
    chapters = {name: f"{name} is a chapter\n" for name in names[:6]} | {"number": 3}
    return {
        "files": files,
        "chapters": f'"""Chapters."""\nimport x\ntopics = {chapters!r}\n',
        "no chapters": ["topics = {", "x()\n", "topics = 3\n", "topics = {'a': f()}\n"],
        "beside": {f"part{number:02}.py": f"{number}\n" for number in range(20)},
        "long": draw_long_texts(rng),
    }


@own_folder()
def measure(inputs):
    """`groups`: those of the made-up installation, by split, start and step. `chapters`: of good and bad
    sources. `cut`: lengths of the documents of long texts. `installed`: beginnings of the real documents.
    """
    from nanochat.dataset import PythonGroups, document_groups, split_text

    library = Path("library")
    _write(library, inputs["files"])
    (library / "no_text.py").write_bytes(b"\xff\xfe\x00")
    (library / "no_text.txt").mkdir()
    (library / "gone.py").symlink_to("nowhere")
    (library / "pydoc_data").mkdir()
    (library / "pydoc_data/topics.py").write_text(inputs["chapters"])
    groups = {
        f"{split} from {start} by {step}": list(PythonGroups(library, split, start, step))
        for split in ("train", "val")
        for start, step in ((0, 1), (1, 2), (0, 3))
    }
    twice = PythonGroups(library, "train")
    groups["again"] = [list(twice) == list(twice), len(list(twice))]
    chapters = []
    for source in [inputs["chapters"], *inputs["no chapters"]]:
        _write(Path("reference"), {"pydoc_data/topics.py": source, **inputs["beside"]})
        chapters += [list(PythonGroups(Path("reference"), split)) for split in ("train", "val")]
    with environment(NANOCHAT_DATA_DIR=None):
        installed = {split: _beginnings(document_groups(split)) for split in ("train", "val")}
        installed["second of three"] = _beginnings(document_groups("train", start=1, step=3))
        wrong = [refusal(document_groups, split) for split in ("test", "", None)]
    return {
        "groups": groups,
        "chapters": chapters,
        "cut": {name: _cut(split_text, text) for name, text in inputs["long"].items()},
        "installed": installed,
        "refused": {"no such split": wrong, "no sources": _small_ones(PythonGroups)},
    }


def _write(library, files):
    for name, text in files.items():
        path = library / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def _cut(split_text, text):
    """Lengths of the documents, and whether nothing of the text is lost."""
    documents = list(split_text(text))
    return [[len(document) for document in documents], "".join(documents) == text]


def _beginnings(groups):
    return [[len(group), *(document[:40] for document in group[:3])] for group in islice(groups, 2)]


def _small_ones(PythonGroups):
    """What comes of an installation of one file, or of none, by split."""
    _write(Path("one"), {"a.py": "a = 1\n"})
    Path("none").mkdir()
    return {
        f"{folder}, {split}": refusal(PythonGroups, Path(folder), split)
        for folder in ("one", "none", "nowhere")
        for split in ("train", "val")
    }
