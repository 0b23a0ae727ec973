"""Reads Parquet shards from a data folder, good and bad ones. Without pyarrow, notes that it is asked for."""

from importlib.util import find_spec
from pathlib import Path

from bughunt.lab.measuring import texts
from bughunt.lab.measuring.absent_modules import absent
from bughunt.lab.measuring.data_batches import load
from bughunt.lab.measuring.own_folder import own_folder
from bughunt.lab.measuring.refusals import refusal
from bughunt.lab.measuring.replacing import environment


def draw(rng):
    """Shards of documents, one of which is none, in row groups of two; their names are not in order."""
    names = ["b", "a", "d", "c"]
    words = iter(f"w{number}" for number in range(200))
    shards = {
        f"shard_{name}.parquet": [
            " ".join(next(words) for _ in range(rng.randint(1, 4))) for _ in range(rng.choice([5, 7]))
        ]
        for name in names
    }
    rng.choice(list(shards.values()))[1] = None
    return {
        "shards": shards,
        "ids": {f"w{number}": number + 1 for number in range(200)},
        "word": texts.word(rng),
    }


@own_folder()
def measure(inputs):
    """`groups`: by split, start and step, and how the folder was named. `batches`: what the loader makes of
    the configured folder, `ranks`: for which it makes none. `refused`: folders that are no good.
    """
    from nanochat.dataset import ParquetGroups, document_groups

    for folder in ("home/shards", "home/others"):
        Path(folder).mkdir(parents=True)
    for name in inputs["shards"]:
        (Path("home/others") / name).write_text(inputs["word"])
    with absent("pyarrow"):
        measured = {"without pyarrow": refusal(document_groups, "train", "home/others")}
    if find_spec("pyarrow") is None:
        return measured
    for name, documents in inputs["shards"].items():
        _write(Path("home/shards") / name, documents)
    Path("home/shards/notes.txt").write_text(inputs["word"])
    Path("home/shards/zz.parquet").mkdir()
    measured["groups"] = {
        f"{split} from {start} by {step}": list(
            document_groups(split, Path("home/shards"), start=start, step=step)
        )
        for split in ("train", "val")
        for start, step in ((0, 1), (1, 2), (0, 2), (2, 3), (4, 3))
    }
    home = dict.fromkeys(("HOME", "USERPROFILE"), str(Path("home").absolute()))
    with environment(NANOCHAT_DATA_DIR="~/shards", **home):
        measured["configured"] = list(document_groups("train"))
        measured["batches"] = _batches(inputs)
        measured["ranks"] = [refusal(_first, inputs, "train", rank) for rank in (-1, 0, 1, 2)]
    with environment(NANOCHAT_DATA_DIR="home/nothing", **home):
        measured["named"] = list(document_groups("val", "~/shards"))
        measured["refused"] = _refused(document_groups, inputs["word"])
    measured["by the class"] = [
        list(ParquetGroups(Path("home/shards"), "train", **options)) for options in ({}, {"step": 2})
    ]
    twice = document_groups("train", "home/shards", start=1, step=2)
    measured["again"] = list(twice) == list(twice)
    return measured


def _batches(inputs):
    """The first inputs of both splits and of the second rank."""
    return {
        f"{split}, rank {rank}": _first(inputs, split, rank)[0].tolist()
        for split in ("train", "val")
        for rank in (0, 1)
    }


def _first(inputs, split, rank):
    stream = {"ids": inputs["ids"], "bos": 0, "documents": None}
    return load(stream, 2, 6, split, count=1, rank=rank, world_size=2)[0]


def _refused(document_groups, word):
    def read(folder, split="train"):
        return refusal(lambda: list(document_groups(split, folder)))

    for folder in ("empty", "one", "no_column", "no_shard"):
        Path(folder).mkdir()
    _write(Path("one/a.parquet"), [word])
    _write(Path("no_column/a.parquet"), [word], column="words")
    Path("no_shard/a.parquet").write_text(word)
    for folder in ("no_column", "no_shard"):
        _write(Path(folder) / "b.parquet", [word])
    return {
        "no such folder": read(None),
        "empty": read("empty"),
        "one shard": read("one"),
        "no column": [read("no_column"), read("no_column", "val")],
        "no shard": [read("no_shard"), read("no_shard", "val")],
    }


def _write(path, documents, column="text"):
    import pyarrow
    from pyarrow import parquet

    numbers = list(range(len(documents)))
    table = pyarrow.table({"number": numbers, column: pyarrow.array(documents, pyarrow.string())})
    parquet.write_table(table, path, row_group_size=2)
