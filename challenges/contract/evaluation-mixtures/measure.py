"""Tasks by index, dialogues, facts, mixtures in any order or sorted by length, and the recipe's mixtures.

Which problem has which number is a matter of chance; what is compared is what all of them have, and shares.
"""

from collections import Counter
from random import Random

from bughunt.lab.measuring.refusals import refusal


def draw(rng):
    """Sizes, seeds and stretches."""
    sizes = [rng.randint(20, 30), rng.randint(5, 12)]
    return {
        "sizes": sizes,
        "seed": rng.randrange(1, 1000),
        "stretch": rng.choice([4, 5, 7]),
        "question": "".join(rng.choices("abc ", k=8)),
    }


def measure(inputs):
    """What a task has by its index, what a mixture makes of tasks, and which tasks the recipes mix."""
    from nanochat import tasks

    seed = inputs["seed"]
    arithmetic = tasks.Arithmetic(size=inputs["sizes"][0], seed=seed)
    facts = tasks.Facts("test", size=inputs["sizes"][1], seed=seed)
    return {
        "by index": by_index(tasks, inputs),
        "questions as people put them": wrapped(tasks, inputs["question"], seed),
        "facts": told(tasks, seed),
        "dialogues": dialogues(tasks, [arithmetic, facts], seed),
        "mixture": mixture(tasks, [arithmetic, facts], seed, 1),
        "mixture in stretches": mixture(tasks, [arithmetic, facts], seed, inputs["stretch"]),
        "how often conversations are written": written(tasks, inputs["stretch"]),
        "recipes": recipes(tasks, seed),
    }


def by_index(tasks, inputs):
    """How many problems there are, which ones, and what they depend on."""
    size, seed = inputs["sizes"][1], inputs["seed"]
    variants = {
        "the same": {},
        "another seed": {"seed": seed + 1},
        "another split": {"split": "test"},
        "other phrasings": {"phrasings": "held_out"},
    }
    task = tasks.Arithmetic(size=size, seed=seed)
    plain = [str(task[i]) for i in range(size)]
    data = {
        "different problems": len(set(plain)) == size,
        "size": len(task),
        "read to the end": len(list(task)) == size,
    }
    for name, options in variants.items():
        other = tasks.Arithmetic(**{"size": 3 * size, "seed": seed, **options})
        data[name] = [str(other[i]) for i in range(size)] == plain
    data["others in the order asked for"] = [str(task[i]) for i in (2, 0, 1)] == [plain[i] for i in (2, 0, 1)]
    data["beyond the end"] = [raises(task, index) for index in (-1, size - 1, size, size + 1)]
    data["by default"] = [
        [made.name, len(made), made.split, made.phrasings, str(made[3]) == str(given[3])]
        for kind in (tasks.Arithmetic, tasks.Facts)
        for made, given in [(kind(), kind("train", phrasings="train", size=10_000, seed=0))]
    ]
    data["a task that writes nothing"] = refusal(tasks.Task().write, Random(seed)) is not None
    data["words are told"] = [tasks.Spelling.name, tasks.LetterCount.name]
    return data


def raises(task, index):
    """Is there no problem of this number?"""
    return refusal(task.__getitem__, index) == "IndexError"


def wrapped(tasks, question, seed):
    """Shares of what stands before and after a question."""
    from nanochat.phrasings import CLOSINGS, OPENINGS

    rng, count = Random(seed), 4000
    found = Counter(tasks.wrap(rng, question).partition(question)[::2] for _ in range(count))
    # so many more that one in 6 can be told from one in 5, and from one in 7
    many = 20_000
    closed = sum(not tasks.wrap(rng, question).endswith(question) for _ in range(many))
    before, after = Counter(), Counter()
    for (opening, closing), times in found.items():
        before[opening] += times
        after[closing] += times
    return {
        "nothing before": before[""] / count,
        "nothing after": after[""] / count,
        "something after, five times its share": 5 * closed / many,
        "neither": found["", ""] / count,
        "all openings": sorted(before) == sorted(["", *(f"{one} " for one in OPENINGS)]),
        "all closings": sorted(after) == sorted(["", *(f" {one}" for one in CLOSINGS)]),
        "together": any(opening and closing for opening, closing in found),
    }


def told(tasks, seed):
    """Which of the facts are asked for, and how."""
    from nanochat.phrasings import FACTS

    table = {answer: (set(trained), set(held_out)) for trained, held_out, answer in FACTS}
    data = {}
    for phrasings in ("train", "held_out"):
        task = tasks.Facts(phrasings=phrasings, size=400, seed=seed)
        asked = [[message["content"] for message in task[i]["messages"]] for i in range(400)]
        own = [table[answer][phrasings == "held_out"] for _, answer in asked]
        data[phrasings.replace("_", " ")] = {
            "all facts": {answer for _, answer in asked} == set(table),
            "of these phrasings": all(
                question in ways for (question, _), ways in zip(asked, own, strict=True)
            ),
            "different questions": len({question for question, _ in asked}) > len(table) * 1.5,
        }
    return data


def dialogues(tasks, parts, seed):
    """Conversations of several questions."""
    task = tasks.Dialogue(parts, size=90, seed=seed)
    problems = [[str(part[i]["messages"]) for i in range(len(part))] for part in parts]
    talks = [task[i]["messages"] for i in range(90)]
    halves = [[str(talk[:2]), str(talk[2:])] for talk in talks]
    where = [[[half in own for own in problems] for half in both] for both in halves]
    other = tasks.Dialogue(parts, size=90, seed=seed + 1)
    return {
        "size": [len(task), len(tasks.Dialogue(parts))],
        "turns": sorted({len(talk) for talk in talks}),
        "halves are problems": all(any(half) for both in where for half in both),
        "of both tasks": sorted({str([half.index(True) for half in both]) for both in where}),
        "last problem of a task": problems[1][-1] in {half for both in halves for half in both},
        "different": len({str(talk) for talk in talks}) > 50,
        "the same again": [task[i]["messages"] for i in range(90)] == talks,
        "another seed": [other[i]["messages"] for i in range(90)] == talks,
        "seed by default": str(tasks.Dialogue(parts)[1]) == str(tasks.Dialogue(parts, seed=0)[1]),
    }


def mixture(tasks, parts, seed, stretch):
    """All problems of the tasks once, in an order of the seed, each stretch sorted."""
    mixed = tasks.Mixture(parts, seed, stretch)
    shuffled = [str(one) for one in every(tasks.Mixture(parts, seed=seed))]
    found = every(mixed)
    texts = [str(one) for one in found]
    problems = [str(part[i]) for part in parts for i in range(len(part))]
    lengths = [tasks.num_characters(one) for one in found]
    pieces = [slice(first, first + stretch) for first in range(0, len(found), stretch)]
    return {
        "size": [len(mixed), len(found)],
        "all problems once": sorted(texts) == sorted(problems),
        "in the tasks' order": texts == problems,
        "as shuffled": texts == shuffled,
        "stretches of the shuffled": all(sorted(texts[p]) == sorted(shuffled[p]) for p in pieces),
        "stretches are sorted": all(lengths[p] == sorted(lengths[p]) for p in pieces),
        "all is sorted": lengths == sorted(lengths),
        "another seed": [str(one) for one in every(tasks.Mixture(parts, seed + 1, stretch))] == texts,
        "seed by default": [str(one) for one in every(tasks.Mixture(parts))]
        == [str(one) for one in every(tasks.Mixture(parts, 0, 1))],
        "from behind": [str(mixed[i]) for i in reversed(range(len(texts)))] == texts[::-1],
    }


def written(tasks, stretch):
    """Is each conversation written a few times at most when a mixture is read from first to last?"""
    counts = Counter()

    class Counted:
        def __len__(self):
            return 3 * stretch

        def __getitem__(self, index):
            counts[index] += 1
            return {"messages": [{"role": "user", "content": "x" * index}]}

    every(tasks.Mixture([Counted()], 1, stretch))
    return "seldom" if max(counts.values()) <= 3 else "often"


def every(mixed):
    """All its conversations."""
    return [mixed[i] for i in range(len(mixed))]


def recipes(tasks, seed):
    """The tasks that are mixed for training and validation, by name, and how."""
    own = tasks.Mixture
    tasks.Mixture = lambda parts, seed=0, sorted_stretch=1: (parts, seed, sorted_stretch)
    try:
        return {
            name: [listed(*recipe(*arguments)) for arguments in ((), (seed,), (seed, 32))]
            for name, recipe in (
                ("training", tasks.training_mixture),
                ("validation", tasks.validation_mixture),
            )
        }
    finally:
        tasks.Mixture = own


def listed(parts, seed, stretch):
    """Name, size, split, phrasings and seed of each task."""
    found = [[one.name, len(one), one.split, one.phrasings, one.seed] for one in parts]
    mixed = [sorted(part.name for part in one.tasks) for one in parts if hasattr(one, "tasks")]
    return {"tasks": sorted(found), "dialogues of": mixed, "seed": seed, "stretch": stretch}
