"""`scripts.chat_eval` in-process, with an engine that answers by a plan: counts, limits, processes, files."""

# How a problem is answered.
RIGHT, WRONG, UNENDED, MALFORMED, SILENT, NO_CALL, TWO_CALLS = range(7)
SETTINGS = ("name", "device", "only", "max_problems", "temperature", "max_tokens", "show_wrong")
PARTS = ("question", "response", "reference")
FEW = 5  # so many wrong answers at least are kept, where there are so many
COUNTS = ("name", "correct", "total", "malformed", "tool_calls", "accuracy")


def draw(rng):
    """How each problem is answered, and numbers to ask about."""
    plan = [*range(7), RIGHT, *rng.choices(range(7), k=7)]
    rng.shuffle(plan)
    return {"plan": plan, "numbers": [rng.randint(10, 99) for _ in range(40)]}


def measure(inputs):
    """Settings, suites, the counts of suites, and what the script returns, prints and writes."""
    from bughunt.lab.measuring.fresh import freshly_imported

    with freshly_imported("scripts.chat_eval"):
        return examine(inputs)


def examine(inputs):
    """All of it, on tasks and with an engine that are given to the script."""
    from nanochat.tokenizer import RustBPETokenizer
    from scripts import chat_eval

    from bughunt.lab.measuring.leaving import left_its_group

    tokenizer = RustBPETokenizer({bytes([byte]): byte for byte in range(256)})
    plain = chat_eval.Settings()
    suites = chat_eval.suites()
    data = {
        "defaults": {name: getattr(plain, name) for name in SETTINGS},
        "suites": {
            name: [task.name, len(task), task.split, task.phrasings, task.seed]
            for name, task in suites.items()
        },
        "parts in a line": [chat_eval.join_parts(one) for one in ("a", [{"text": "a"}, {"text": "b"}], [])],
    }
    mixed, numbers = inputs["plan"], inputs["numbers"]
    size = len(mixed)
    for task, plan in (
        (Asked("with calls", numbers, size, calls=True), mixed),
        (Asked("without calls", numbers, size), mixed),
        (Asked("all wrong", numbers, 14), [WRONG] * 14),
    ):
        data[task.name] = {
            "all": count(chat_eval, tokenizer, task, plan),
            "limited": [
                count(chat_eval, tokenizer, task, plan, max_problems=most, max_tokens=200, temperature=0.5)
                for most in (1, 6, size + 5)
            ],
            "cut off": count(chat_eval, tokenizer, task, plan, max_tokens=12, max_problems=8),
            "several processes": [
                count(chat_eval, tokenizer, task, plan, among, max_problems=most)
                for among, most in (((2, 0), 7), ((2, 1), 7), ((3, 2), None))
            ],
        }
    data["leaves its group at an error"] = left_its_group(chat_eval.main, ["--device", "cpu"])
    data["script"] = [run(chat_eval, tokenizer, inputs, flags) for flags in FLAGS]
    data["script, in processes"] = [run(chat_eval, tokenizer, inputs, FLAGS[0], (2, rank)) for rank in (0, 1)]
    return data


FLAGS = (
    ["--only", "arithmetic", "--max-problems", "5", "--max-tokens", "150", "--show-wrong", "1"],
    ["--device", "cpu", "--max-problems", "2", "--name", "other", "--temperature", "0.5"],
    ["--only", "no such suite"],
    ["--only", "facts, new"],
)


class Asked:
    """A task of questions about numbers that no other task has, answered in plain text or with calls."""

    def __init__(self, name, numbers, size, calls=False):
        self.name, self.numbers, self.size, self.calls = name, numbers, size, calls

    def __len__(self):
        return self.size

    def __getitem__(self, index):
        number = self.numbers[index % len(self.numbers)]
        content = f"It is {number}."
        if self.calls:
            content = [
                {"type": "python", "text": f"{number}+0"},
                {"type": "python_output", "text": str(number)},
                {"type": "text", "text": content},
            ]
        question = {"role": "user", "content": f"Which is number {index} {self.name}?"}
        return {"messages": [question, {"role": "assistant", "content": content}]}

    def evaluate(self, conversation, response):
        content = conversation["messages"][-1]["content"]
        return response == (content if isinstance(content, str) else content[-1]["text"])


def make_engine(tokenizer, tasks, plan):
    """An engine that knows the tasks' problems by their prompts and answers them by the plan."""
    from types import SimpleNamespace

    import torch

    from bughunt.lab.measuring.scripted_engine import ScriptedEngine

    known = {}
    for task in tasks:
        for index in range(min(len(task), len(plan))):
            conversation = task[index]
            prompt = tokenizer.render_for_completion(conversation)
            known.setdefault(tuple(prompt), [conversation, plan[index], index])

    def answers(prompt):
        if tuple(prompt) not in known:
            met.append("a prompt of no problem")
            return [[end]]
        conversation, way, index = known[tuple(prompt)]
        met.append(index)
        return [answer(tokenizer, conversation, way)]

    met = []
    end = tokenizer.encode_special("<|assistant_end|>")
    model = SimpleNamespace(get_device=lambda: torch.device("cpu"))
    engine = ScriptedEngine(model, tokenizer, answers, end)
    engine.met = met
    return engine


def answer(tokenizer, conversation, way):
    """The tokens of an answer to a conversation's last question."""
    special = tokenizer.encode_special
    whole, _ = tokenizer.render_conversation(conversation)
    right = whole[len(tokenizer.render_for_completion(conversation)) :]
    content = conversation["messages"][-1]["content"]
    text = content if isinstance(content, str) else content[-1]["text"]
    call = [special("<|python_start|>"), *tokenizer.encode("1+1"), special("<|python_end|>")]
    call += [special("<|output_start|>"), *tokenizer.encode("2"), special("<|output_end|>")]
    return {
        RIGHT: right,
        WRONG: [*right[:-1], *tokenizer.encode(" 0 or 7777"), right[-1]],
        UNENDED: right[:-1],
        MALFORMED: [special("<|python_end|>"), *right],
        SILENT: right[-1:],
        TWO_CALLS: [*call, *call, *right],
        NO_CALL: [*tokenizer.encode(text), right[-1]],
    }[way]


def count(chat_eval, tokenizer, task, plan, among=(1, 0), **options):
    """What is counted of a task, which problems were met, how they were asked."""
    from bughunt.lab.measuring.ranks import one_of

    engine = make_engine(tokenizer, [task], plan)
    calls = []
    with one_of(*among):
        if options:
            options["on_problem"] = lambda: calls.append(1)
        result = chat_eval.evaluate(engine, "a suite", task, **options)
    return {
        **{name: getattr(result, name) for name in COUNTS},
        "wrong answers": [[one[part] for part in PARTS] for one in result.wrong[:FEW]],
        "problems": engine.met,
        "told of problems": len(calls),
        "asked with": sorted(
            {str([one[key] for key in ("samples", "max tokens", "temperature")]) for one in engine.asked}
        ),
    }


def run(chat_eval, tokenizer, inputs, flags, among=(1, 0)):
    """What the script returns, writes and prints with these flags."""
    import contextlib
    import io
    import json
    import sys

    from nanochat.common import UserError

    from bughunt.lab.measuring.base_folder import base_folder
    from bughunt.lab.measuring.ranks import one_of
    from bughunt.lab.measuring.replacing import environment, replaced
    from nanochat import chat, common

    sizes = {"arithmetic": 9, "arithmetic, new phrasings": 3, "facts, new phrasings": 40}
    suites = {name: Asked(name, inputs["numbers"], size, size == 9) for name, size in sizes.items()}
    engine = make_engine(tokenizer, suites.values(), inputs["plan"])
    loaded = []

    def load_engine(run_dir, device="cpu"):
        loaded.append([run_dir.name, run_dir.parent.resolve() == folder.resolve(), str(device)])
        return engine, {"step": 7}

    shown, leave = [], common.Progress.__exit__

    def noted(progress, *exception):
        shown.append([progress.total, progress.done])
        return leave(progress, *exception)

    printed = io.StringIO()
    with (
        base_folder() as folder,
        contextlib.redirect_stdout(printed),
        one_of(*among),
        environment(LOCAL_RANK="0"),  # each process is the only one on its machine
        replaced(sys, argv=["chat_eval", *flags]),
        replaced(chat, load_engine=load_engine),
        replaced(common, autodetect_device_type=lambda: "cpu"),
        replaced(common.Progress, __exit__=noted),
        replaced(chat_eval, suites=lambda: suites),
    ):
        for name in ("sft", "other"):
            (folder / name).mkdir()
        try:
            # the flags are those of the command line, or are given
            results = chat_eval.main() if flags is FLAGS[-1] else chat_eval.main(flags)
        except UserError:
            return "refused"
        paths = list(folder.glob("*/*"))
        if not paths:
            return ["nothing is written", printed.getvalue(), engine.met]
        (path,) = paths
        report = json.loads(path.read_text(encoding="utf-8"))
    return {
        "loaded": loaded,
        "progress": shown,
        "written": [path.parent.name, path.name, report["step"]],
        "suites": [[one[name] for name in COUNTS[:-1]] for one in report["suites"]],
        "wrong answers are kept": [len(one["wrong"][:FEW]) for one in report["suites"]],
        "returned": [[getattr(one, name) for name in COUNTS] for one in results],
        "names are printed": [one.name in printed.getvalue() for one in results],
        "wrong answers are printed": [
            [wrong["question"] in printed.getvalue() for wrong in one.wrong[:FEW]] for one in results[:2]
        ],
        "asked with": sorted(
            {str([one[key] for key in ("max tokens", "temperature")]) for one in engine.asked}
        ),
        "problems": engine.met,
    }
