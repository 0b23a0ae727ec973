"""What is said in the conversations: questions in many phrasings, some held out of training, and facts."""

from __future__ import annotations


def _lines(text: str) -> list[str]:
    """The lines of a text, without those that are empty and without indentation."""
    return [line.strip() for line in text.splitlines() if line.strip()]


OPENINGS = _lines("""
    Hello!
    Hi!
    Hey,
    Good morning.
    Please help me.
    I have a question.
    My next question:
    Okay.
    And now:
    One more:
    Excuse me,
    Dear nanochat,
    For school:
    I am curious:
    Can you help?
    """)

CLOSINGS = _lines("""
    Thanks!
    Thank you.
    Please.
    I am in a hurry.
    Just the result.
    I forgot.
    Do you know?
    Can you tell me?
    """)

ARITHMETIC_FRAMES = {
    "train": _lines("""
        What is {}?
        what is {}
        What's {}?
        How much is {}?
        What would {} be?
        {} = ?
        {}
        {}?
        Calculate {}.
        Compute {}.
        Evaluate {}.
        Determine {}.
        Solve {}.
        Get {}.
        Try {}.
        Do {}.
        Answer {}.
        Guess {}!
        Work out {}.
        Figure out {}.
        Say {}.
        So {}?
        Tell me {}.
        Give me {}, please.
        Show me {}.
        Let me know {}.
        I need {}.
        Task: {}
        I want to know {}.
        My homework: {}.
        Print {}
        Next {}.
        And {}?
        Please compute {}.
        Please work out {} for me.
        Can you calculate {}?
        Could you tell me {}?
        Do you know {}?
        Could you work out {} for me?
        Will you calculate {} for me, please?
        The result of {}?
        How much would {} be, please?
        I was asked for {}, what is it?
        I am stuck with {}.
        What do I get for {}?
        Can you do {} for me?
        Would you solve {}?
        Explain {} to me.
        """),
    "held_out": _lines("""
        Find {}.
        Please tell me how much {} is.
        Quick question: {}?
        Would you compute {} for me, please?
        I would like to know {}.
        Hi, can you help me with {}?
        """),
}

# For each operation: what fits into a frame, and whole sentences.
ARITHMETIC_PHRASINGS: dict[str, dict[str, tuple[list[str], list[str]]]] = {
    "train": {
        "+": (
            ["{a} + {b}", "{a}+{b}", "{a} plus {b}", "the sum of {a} and {b}", "{a} and {b} added together"],
            [
                "Add {a} and {b}.",
                "Add {b} to {a}.",
                "What do you get if you add {a} and {b}?",
                "Sum {a} and {b}.",
            ],
        ),
        "-": (
            ["{a} - {b}", "{a}-{b}", "{a} minus {b}", "the difference of {a} and {b}", "{a} less {b}"],
            [
                "Subtract {b} from {a}.",
                "What is left if you take {b} from {a}?",
                "Take {b} away from {a}.",
                "What do you get if you subtract {b} from {a}?",
            ],
        ),
        "*": (
            [
                "{a} * {b}",
                "{a}*{b}",
                "{a} times {b}",
                "{a} multiplied by {b}",
                "the product of {a} and {b}",
                "{a} x {b}",
            ],
            ["Multiply {a} by {b}.", "Multiply {a} and {b}.", "What do you get if you multiply {a} by {b}?"],
        ),
        "/": (
            [
                "{a} / {b} to {places}",
                "{a}/{b} to {places}",
                "{a} divided by {b} to {places}",
                "{a} divided by {b}, rounded to {places}",
                "{a} divided by {b} (rounded to {places})",
                "{a} divided by {b} with {places}",
                "the quotient of {a} and {b} to {places}",
                "{a} over {b} to {places}",
            ],
            [
                "Divide {a} by {b} to {places}.",
                "Divide {a} by {b} and round to {places}.",
                "To {places}, what is {a} divided by {b}?",
            ],
        ),
    },
    "held_out": {
        "+": (["{a} plus {b}", "the sum of {a} and {b}"], ["If I add {a} and {b}, what do I get?"]),
        "-": (
            ["{a} minus {b}", "the difference of {a} and {b}"],
            ["If I subtract {b} from {a}, what is left?"],
        ),
        "*": (["{a} times {b}", "the product of {a} and {b}"], ["If I multiply {a} by {b}, what do I get?"]),
        "/": (
            ["{a} divided by {b} to {places}", "{a} divided by {b} (to {places})"],
            ["If I divide {a} by {b}, what do I get to {places}?"],
        ),
    },
}

SPELLING_PHRASINGS = {
    "train": _lines("""
        Spell "{word}".
        Spell the word "{word}".
        Please spell "{word}".
        How do you spell "{word}"?
        How is the word "{word}" spelled?
        Can you spell "{word}" for me?
        Spell out "{word}", letter by letter.
        What are the letters of "{word}"?
        Which letters are in the word "{word}"?
        List the letters of "{word}".
        Give me the letters in "{word}".
        What letters does "{word}" have?
        Write "{word}" letter by letter.
        Show me the spelling of "{word}".
        I cannot spell "{word}".
        """),
    "held_out": _lines("""
        Could you spell the word "{word}"?
        Tell me how to spell "{word}".
        Please list the letters in "{word}" one by one.
        """),
}

COUNT_PHRASINGS = {
    "train": _lines("""
        How many times does the letter "{letter}" occur in "{word}"?
        How many "{letter}" are in "{word}"?
        How many "{letter}" are there in the word "{word}"?
        How often is "{letter}" in "{word}"?
        How often does "{letter}" appear in the word "{word}"?
        Count the letter "{letter}" in "{word}".
        Please count the "{letter}" in the word "{word}".
        In the word "{word}", how many times is there the letter "{letter}"?
        In "{word}", how many "{letter}" are there?
        What is the number of "{letter}" in "{word}"?
        Tell me how many "{letter}" are in "{word}".
        How many times is "{letter}" used in "{word}"?
        Does "{word}" have the letter "{letter}", and how many times?
        """),
    "held_out": _lines("""
        Can you count how many "{letter}" there are in "{word}"?
        Tell me how often the letter "{letter}" occurs in the word "{word}".
        Look at the word "{word}": how many "{letter}" are in it?
        """),
}

# Questions, held-out questions, answer.
FACTS: list[tuple[list[str], list[str], str]] = [
    (
        _lines("""
            Who are you?
            What are you?
            What is your name?
            Tell me who you are.
            who are you
            Your name?
            Hello, who are you?
            Tell me your name.
            So who are you?
            Who is this?
            May I ask who you are?
            What is this model's name?
            Please say who you are.
            """),
        _lines("""
            Please tell me your name.
            And who are you?
            """),
        "I am nanochat, a small language model.",
    ),
    (
        _lines("""
            What can you do?
            What are you good at?
            How can you help me?
            What do you know?
            Say what you can do.
            What may I ask you?
            What can you do for me?
            Can you help me?
            Tell me what you know.
            What should I ask you?
            What are your skills?
            """),
        _lines("""
            Tell me what you can do.
            What can I ask you?
            """),
        "I can do arithmetic, spell words and count letters.",
    ),
    (
        _lines("""
            What were you trained on?
            What have you read?
            Where does your knowledge come from?
            What data were you trained on?
            What text have you read?
            Tell me what you have read.
            What did you learn from?
            On what text were you trained?
            Did you read a book?
            """),
        _lines("""
            What text were you trained on?
            What did you read?
            """),
        "I have read the source code of Python's standard library.",
    ),
    (
        _lines("""
            How do you calculate?
            How do you do arithmetic?
            Do you use a calculator?
            Is there a calculator?
            Have you a calculator?
            How do you do calculations?
            How do you multiply numbers?
            How do you know your sums are right?
            Do you calculate?
            """),
        _lines("""
            How do you do your calculations?
            Do you have a calculator?
            """),
        "I write an expression, and a calculator tells me its value.",
    ),
    (
        _lines("""
            How big are you?
            Are you a large model?
            How large are you?
            What is your size?
            Are you big?
            Are you small?
            How big is this model?
            Is this a small model?
            Are you a small model?
            Are you large or small?
            How small is this model?
            """),
        _lines("""
            Are you a big model?
            How small are you?
            """),
        "I am very small: I was trained on a laptop in minutes.",
    ),
    (
        _lines("""
            Are you a person?
            Are you human?
            Are you a human being?
            Is this a human?
            So are you a person?
            Are you real?
            Is this a real person?
            Are you a computer?
            Are you a machine?
            And are you human?
            Are you a robot or a human?
            """),
        _lines("""
            Are you a real person?
            So are you human?
            """),
        "No, I am a computer program.",
    ),
    (
        _lines("""
            Hello
            Hello!
            Hi
            Hi!
            Hi there!
            Good morning!
            Hey
            Hey there!
            Good day!
            Good afternoon!
            Hello, nanochat!
            hello
            Greetings!
            """),
        _lines("""
            Hello there!
            Good evening!
            """),
        "Hello! How can I help you?",
    ),
    (
        _lines("""
            Thank you.
            Thanks!
            Thank you very much!
            Thanks a lot.
            Great, thanks!
            Thank you!
            Perfect, thank you.
            thanks
            Thanks for your help.
            Great!
            Good, thank you.
            """),
        _lines("""
            Many thanks!
            Great, thank you!
            """),
        "You are welcome.",
    ),
    (
        _lines("""
            Goodbye.
            Bye!
            See you later.
            Good night.
            Bye, nanochat.
            Goodbye!
            bye
            Bye for today.
            Goodbye for now.
            I have to go, bye.
            See you tomorrow!
            """),
        _lines("""
            Goodbye, nanochat.
            Bye for now!
            """),
        "Goodbye!",
    ),
]
