"""The token asked for with `prepend` stands in front of every row, whatever else is asked for."""


def expected(call, plain, special_ids):
    def token(name):
        return special_ids[name] if isinstance(name, str) else name

    def row(text):
        first = [] if call["prepend"] is None else [token(call["prepend"])]
        last = [] if call["append"] is None else [token(call["append"])]
        return [*first, *plain[text], *last]

    return [row(text) for text in call["text"]] if isinstance(call["text"], list) else row(call["text"])


def results(inputs, measured):
    """(call, what came back, what should) of every call of both tokenizers."""
    for name in ("bytes", "merges"):
        found = measured[name]
        if name == "bytes":
            special_ids = {token: 256 + index for index, token in enumerate(found["special_ids"])}
            plain = {text: list(text.encode()) for text in inputs["texts"]}
        else:
            special_ids = found["special_ids"]
            plain = dict(zip(inputs["texts"], found["plain"], strict=True))
        for call, answer in zip(inputs["calls"], found["calls"], strict=True):
            yield call, answer, expected(call, plain, special_ids)


def asked(inputs, measured, *, prepend, batch):
    return [
        (call, answer["ids"], right)
        for call, answer, right in results(inputs, measured)
        if (call["prepend"] is not None) == prepend and isinstance(call["text"], list) == batch
    ]


def shown(ids):
    flat = ids[0] if ids and isinstance(ids[0], list) else ids
    return f"{flat[:5]}{' …' if len(flat) > 5 else ''}"


def test_plain_text_is_encoded_as_it_stands(inputs, measured):
    for name in ("bytes", "merges"):
        for text, decoded in zip(inputs["texts"], measured[name]["decoded"], strict=True):
            assert decoded == text, (
                "Encoding a text with nothing in front and nothing behind, and decoding it again, must give the "
                f"text back. {text!r} came back as {decoded!r}."
            )
    for batch in (False, True):
        for call, ids, right in asked(inputs, measured, prepend=False, batch=batch):
            assert ids == right, (
                f"With nothing to stand in front (append={call['append']!r}), the ids should begin "
                f"{shown(right)} and began {shown(ids)}. Text that spells a special token is text like any other."
            )


def test_the_token_stands_first(inputs, measured):
    wrong = {
        batch: [found for found in asked(inputs, measured, prepend=True, batch=batch) if found[1] != found[2]]
        for batch in (False, True)
    }
    if not wrong[False] and not wrong[True]:
        return
    call, ids, right = (wrong[False] or wrong[True])[0]
    message = (
        f"With prepend={call['prepend']!r} the ids should begin {shown(right)}; they began {shown(ids)}."
    )
    if not wrong[False]:
        message += " One text at a time is right; a list of texts is not."
    elif not wrong[True]:
        message += " A list of texts is right; one text at a time is not."
    elif all(found[0]["prepend"] == 0 for group in wrong.values() for found in group):
        message += " Every other token is put in front; id 0 is a token, too."
    raise AssertionError(message)


def test_calls_do_not_disturb_each_other(inputs, measured):
    for call, answer, right in results(inputs, measured):
        assert answer["argument"] == call["text"], "The list given to encode must not be changed by the call."
        assert answer["again"] == right, (
            "The same call, made again after its first answer had been changed by its receiver, should give the "
            f"same ids: {shown(right)}. It gave {shown(answer['again'])}."
        )
