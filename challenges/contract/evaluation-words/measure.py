"""The words of each split, and the spelling and counting problems that are made of them.

Which problem has which word is a matter of chance; what is compared is what all of them have, and shares.
"""

from random import Random

from bughunt.lab.measuring.small_library import draw_library, small_library


def draw(rng):
    """A library to find words in; keys to divide among the splits."""
    keys = [f"{rng.randint(10, 99)} and {rng.randint(10, 99)}" for _ in range(60)]
    return {"library": draw_library(rng), "keys": [*keys, "", "é"], "seed": rng.randrange(1000)}


def measure(inputs):
    """Words by split, how one is chosen, and what the problems have in common."""
    with small_library(inputs["library"], "nanochat.tasks") as folder:
        from nanochat import tasks

        known = {split: list(tasks.words(split)) for split in ("train", "test")}
        data = {
            "splits of keys": [tasks.split_of(key) for key in inputs["keys"]],
            "words": known,
            "words can be changed by who has them": hasattr(tasks.words("train"), "append"),
            "choosing": {split: chosen(tasks, split, known, inputs["seed"]) for split in known},
        }
        for task_class in (tasks.Spelling, tasks.LetterCount):
            for split, phrasings in (
                ("train", "train"),
                ("test", "train"),
                ("train", "held_out"),
                ("test", "held_out"),
            ):
                task = task_class(split, phrasings=phrasings, size=60, seed=inputs["seed"])
                kind = f"{task.name}, {split}, {phrasings.replace('_', ' ')}"
                data[kind] = describe(tasks, task, known)
        for path in folder.iterdir():
            path.write_text("other words\n", encoding="utf-8")
        data["the library is read once"] = [list(tasks.words(split)) == known[split] for split in known]
    return data


def chosen(tasks, split, known, seed):
    """Statistics of many chosen words: how many are made up, of what, how long they are."""
    rng = Random(seed)
    many = [tasks.choose_word(rng, split) for _ in range(6000)]
    words = many[:2000]
    old = set(known[split])
    made_up = [word for word in words if word not in old]
    beginnings, endings = ends_of(old, ending=False), ends_of(old, ending=True)
    starts = [longest(word, beginnings, ending=False) for word in made_up]
    ends = [longest(word, endings, ending=True) for word in made_up]
    return {
        "made up": len(made_up) / len(words),
        # of so many that one in three can be told from one in four
        "made up, three times their share": 3 * share(word not in old for word in many),
        "all letters": all(word.isalpha() and word.islower() for word in words),
        "lengths of those made up": [min(map(len, made_up), default=0), max(map(len, made_up), default=0)],
        "ends of words": share(map(int.__eq__, ends, map(len, made_up))) > 0.04,
        "beginnings of words": share(map(int.__eq__, starts, map(len, made_up))) > 0.04,
        "made of one word": share(is_of_one(word, old) for word in made_up[:40]) > 0.5,
        "shortest": min(map(len, words)),
        "longest": max(map(len, words)),
        "mean length of those made up": sum(map(len, made_up)) / max(1, len(made_up)) / 10,
        "of the other split": sum(tasks.split_of(word) != split for word in words),
        "made of known words": all(s + e >= len(w) for w, s, e in zip(made_up, starts, ends, strict=True)),
        "a single letter at their ends": any(e == 1 for e in ends),
        "a single letter at their beginnings": any(w[1:] in old for w in made_up),
        "different ones": len(set(words)) > len(old) // 2,
    }


def share(truths):
    """How many of them are true, of all."""
    truths = list(truths)
    return sum(truths) / max(1, len(truths))


def is_of_one(word, known):
    """Is it the beginning and the end of one known word?"""
    halves = [(word[:n], word[n:]) for n in range(1, len(word))]
    return any(one.startswith(start) and one.endswith(end) for start, end in halves for one in known)


def ends_of(words, ending):
    """All beginnings of the words, or all their endings."""
    return {word[-n:] if ending else word[:n] for word in words for n in range(1, len(word) + 1)}


def longest(word, known, ending):
    """How many letters at an end of the word are one of the known ends of words."""
    sizes = range(len(word), 0, -1)
    return next((n for n in sizes if (word[-n:] if ending else word[:n]) in known), 0)


def describe(tasks, task, known):
    """What all problems of a task have."""
    from nanochat.phrasings import CLOSINGS, COUNT_PHRASINGS, OPENINGS, SPELLING_PHRASINGS

    table = SPELLING_PHRASINGS if task.name == "spelling" else COUNT_PHRASINGS
    found = []
    for index in range(len(task)):
        question, answer = (message["content"] for message in task[index]["messages"])
        named = question.split('"')[1::2]
        word, letter = max(named, key=len), min(named, key=len)
        ways = [way.format(word=word, letter=letter) for way in table[task.phrasings]]
        text = tasks.reference_text(task[index])
        right = " ".join(word) if task.name == "spelling" else f"The answer is {word.count(letter)}."
        found.append(
            {
                "in words that are known": any(way in question for way in ways),
                "answers are right": text == right,
                "of the split": tasks.split_of(word) == task.split,
                "known": task.split == "train" or word in known["test"],
                "opened": question.startswith(tuple(OPENINGS)),
                "closed": question.endswith(tuple(CLOSINGS)),
                "the letter is in it": letter in word,
                "the first": letter == word[0],
                "parts": answer if isinstance(answer, str) else [part["type"] for part in answer],
                "calls are right": isinstance(answer, str) or called(answer) == str(word.count(letter)),
            }
        )
    every = ("in words that are known", "answers are right", "of the split", "known", "calls are right")
    data = {name: all(one[name] for one in found) for name in every}
    data |= {name: any(one[name] for one in found) for name in ("opened", "closed")}
    letters = [one["the letter is in it"] for one in found]
    data["letters that are in it"] = ["mostly" if share(letters) > 0.6 else "seldom", all(letters)]
    data["mostly the first letter"] = share(one["the first"] for one in found) > 0.6
    data["kind of answer"] = "text" if isinstance(found[0]["parts"], str) else found[0]["parts"]
    return data


def called(parts):
    """What the calculator says to the call; "different" when the conversation says otherwise."""
    from nanochat.calculator import use_calculator

    result = use_calculator(parts[0]["text"])
    return result if result == parts[1]["text"] else "different"
