"""Which answers to a problem count as right, what of a conversation is its answer, how long it is."""

NUMBERS = (
    "{}",
    "The answer is {}.",
    " {} ",
    "It is {}, I think",
    "-{}",
    "{}0",
    "{}.5",
    "1 and {}",
    "{} of 3",
)
NUMBERS += ("({})", "{}.", "x{}y", "{}-1", "{}.0", "--{}", "none", "")


def draw(rng):
    """Numbers and texts that are right, in conversations with and without calls of the calculator."""
    numbers = [
        str(rng.randint(10, 99)),
        f"-{rng.randint(10, 99)}",
        f"{rng.randint(1, 9)}.{rng.randint(1, 9)}",
    ]
    word = "".join(rng.choices("abcdefgh", k=5))
    return {
        "numbers": [*numbers, f"-0.{rng.randint(11, 99)}", "0"],
        "text": " ".join(word),
        "expressions": [
            f"{rng.randint(10, 99)}*{rng.randint(10, 99)}",
            "1/0",
            f'"{word}".count("a")',
            "print",
        ],
        "lengths": [rng.randint(1, 30) for _ in range(6)],
    }


def measure(inputs):
    """Verdicts on answers; answers and lengths of conversations; answers that call the calculator."""
    from nanochat import tasks

    data = {}
    for task in (tasks.Arithmetic(), tasks.LetterCount("test")):
        data[task.name] = [
            [task.evaluate(conversation(parts(number)), way.format(number)) for way in NUMBERS]
            for number in inputs["numbers"]
        ]
    text = inputs["text"]
    said = [
        text,
        f" {text}\n",
        text.upper(),
        text + ".",
        text[:-2],
        text.replace(" ", ""),
        "",
        f"{text} {text}",
    ]
    for task in (tasks.Spelling(), tasks.Facts(), tasks.Task()):
        name = getattr(task, "name", "any task")
        data[name] = [task.evaluate(conversation(text), one) for one in said]
        data[f"{name}, spaces around the reference"] = task.evaluate(conversation(f" {text} "), text)
        data[f"{name}, an answer in parts"] = task.evaluate(conversation(parts("7", text)), f"so 7, {text}")
    data["last numbers"] = {
        one: tasks.last_number(one) for one in ("3 4", "a-5", "1.25.", "1.", ".5", "3-4", "", "x", "1,234")
    }
    number = inputs["numbers"][0]
    data["references"] = [
        tasks.reference_text(conversation(content))
        for content in (text, parts(number), parts(number, text), [])
    ]
    data["the reference is the last message"] = tasks.reference_text(
        {"messages": [*conversation("first")["messages"], *conversation(text)["messages"]]}
    )
    lengths = ["y" * n for n in inputs["lengths"]]
    data["lengths"] = [
        tasks.num_characters(conversation(lengths[0], lengths[1])),
        tasks.num_characters(conversation(parts(lengths[2], lengths[3]), lengths[4])),
        tasks.num_characters({"messages": conversation(text)["messages"] * 2}),
        tasks.num_characters({"messages": []}),
    ]
    data["answers with calls"] = [call(tasks.tool_answer, one) for one in inputs["expressions"]]
    return data


def conversation(answer, question="How much?"):
    """A question and the answer to it."""
    return {"messages": [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]}


def parts(result, more="The answer is"):
    """An answer that calls the calculator, between two texts."""
    return [
        {"type": "text", "text": "so "},
        {"type": "python", "text": "99+9"},
        {"type": "python_output", "text": "108"},
        {"type": "text", "text": f"{result}, {more}" if more != "The answer is" else f"{more} {result}."},
    ]


def call(tool_answer, expression):
    """The answer's parts, or that there is none."""
    try:
        return tool_answer(expression, "It is {}, you see.")
    except ValueError:
        return "refused"
