"""A tool's answer comes back into its own row, once, between the tokens that mark an output."""

from bughunt.lab.expected.forms import Either, assert_form, exactly
from bughunt.lab.measuring.plans import tokens_of


def test_generate(inputs, measured):
    """Column by column."""
    for case, found in zip(inputs["cases"], measured["cases"], strict=True):
        expected = expectations(inputs, case)
        rows = [list(row) for row in zip(*found["columns"], strict=True)] or [[] for _ in case["plans"]]
        masks = [list(row) for row in zip(*found["column_masks"], strict=True)] or [[] for _ in case["plans"]]
        compare(inputs, case, expected, rows, masks, "generating column by column")
        for number, (tokens, _) in enumerate(expected):
            # The last column need not be read any more.
            given = found["given"][number][: len(tokens)]
            size = max(len(given), len(tokens) - 1)
            assert given == tokens[:size], (
                f"Row {number} of {len(rows)} shows the right tokens, but the model was given others to "
                f"read: {spelled(inputs, difference(given, tokens))} instead of "
                f"{spelled(inputs, difference(tokens, given))}."
            )


def test_generate_batch(inputs, measured):
    """The same as whole rows, the prompt in front and the end left out."""
    for case, found in zip(inputs["cases"], measured["cases"], strict=True):
        prompt, rows, masks = whole_rows(inputs, case)
        expected = [(prompt + row, [0] * len(prompt) + own) for row, own in zip(rows, masks, strict=True)]
        compare(inputs, case, expected, found["rows"], found["row_masks"], "generating whole rows")


def test_generations_in_turns(inputs, measured):
    """One engine, several conversations: what one of them has to say is nothing to the others."""
    single = [case for case in inputs["cases"] if len(case["plans"]) == 1]
    if measured["in_turns"] is None:
        return
    for case, row in zip(single, measured["in_turns"], strict=True):
        ((tokens, masks),) = expectations(inputs, case)
        way = "generating for two conversations in turns"
        compare(inputs, case, [(tokens, masks)], [row], [masks], way)


def test_everything_was_measured(inputs, measured):
    """An engine may give a model caches of its own; conversations in turns cannot be told apart then."""
    forms, single = [], []
    for case, found in zip(inputs["cases"], measured["cases"], strict=True):
        rows = expectations(inputs, case)
        columns = [list(column) for column in zip(*(tokens for tokens, _ in rows), strict=True)]
        masks = [list(column) for column in zip(*(masks for _, masks in rows), strict=True)]
        # The last column need not be read any more.
        unread = len(found["given"][0]) < len(rows[0][0])
        prompt, rows_without_ends, their_masks = whole_rows(inputs, case)
        forms.append(
            {
                "columns": columns,
                "column_masks": masks,
                "given": [tokens[: len(tokens) - unread] for tokens, _ in rows],
                "rows": [prompt + tokens for tokens in rows_without_ends],
                "row_masks": [[0] * len(prompt) + masks for masks in their_masks],
            }
        )
        if len(rows) == 1:
            single.append(rows[0][0])
    assert_form(measured, {"cases": exactly(forms), "in_turns": Either(None, exactly(single))})


def whole_rows(inputs, case):
    """The prompt; then what is expected of every row, up to its end, and the masks of that."""
    ids = inputs["ids"]
    prompt = [ids["<|bos|>"], *(ids[character] for character in case["prompt"])]
    ends = (ids["<|assistant_end|>"], ids["<|bos|>"])
    rows, their_masks = [], []
    for tokens, masks in expectations(inputs, case):
        stop = next((n for n, token in enumerate(tokens) if token in ends), len(tokens))
        rows.append(tokens[:stop])
        their_masks.append(masks[:stop])
    return prompt, rows, their_masks


def expectations(inputs, case):
    """Tokens and masks of every row, all as long as the longest or as the limit."""
    ids = inputs["ids"]
    plans = [list(tokens_of(plan)) for plan in case["plans"]]
    longest, limit = max(map(len, plans)), case["options"]["max_tokens"]
    columns = longest if limit is None else min(limit, longest)
    rows = []
    for plan in plans:
        tokens = [ids[name] for name, _ in plan] + [ids["<|assistant_end|>"]] * columns
        masks = [0 if forced else 1 for _, forced in plan] + [0] * columns
        rows.append((tokens[:columns], masks[:columns]))
    return rows


def compare(inputs, case, expected, rows, masks, way):
    assert len(rows) == len(expected), f"{len(expected)} samples were asked for; there are {len(rows)}."
    for number, (tokens, right_masks) in enumerate(expected):
        if rows[number] != tokens:
            raise AssertionError(describe(inputs, case, number, tokens, rows, right_masks, way))
    for number, (tokens, right_masks) in enumerate(expected):
        if masks[number] != right_masks:
            at = next(
                (
                    n
                    for n, pair in enumerate(zip(masks[number], right_masks, strict=False))
                    if pair[0] != pair[1]
                ),
                min(len(masks[number]), len(right_masks)),
            )
            raise AssertionError(
                f"The mask is 1 on what the model said itself and 0 on all else. When {way}, it is wrong in "
                f"row {number} at token {at}: {spelled(inputs, tokens[max(0, at - 6) : at + 6])} has the "
                f"masks {masks[number][max(0, at - 6) : at + 6]}; right is "
                f"{right_masks[max(0, at - 6) : at + 6]}."
            )


def difference(row, other):
    at = next((n for n, pair in enumerate(zip(row, other, strict=False)) if pair[0] != pair[1]), len(other))
    return row[max(0, at - 1) : at + 5]


def describe(inputs, case, number, tokens, rows, masks, way):
    """What came out around the first token that is wrong, and what a known near miss leaves broken."""
    row, ids = rows[number], inputs["ids"]
    at = next((n for n, pair in enumerate(zip(row, tokens, strict=False)) if pair[0] != pair[1]), None)
    if at is None:
        return (
            f"When {way}, row {number} of {len(rows)} should have {len(tokens)} tokens; it has {len(row)}: "
            f"{spelled(inputs, row[-12:])}."
        )
    ends = [n for n in range(at + 1) if tokens[n] == ids["<|python_end|>"]]
    begin = ends[-1] if ends else max(0, at - 4)
    end = begin + 1
    while end < len(tokens) and masks[end] == 0 and ids["<|assistant_end|>"] != tokens[end]:
        end += 1
    forced = tokens[begin + 1 : end]
    end = max(end, at + 1, begin + 4)
    message = (
        f"When {way}, row {number} of {len(rows)} should go on {spelled(inputs, tokens[begin:end])}; "
        f"it goes on {spelled(inputs, row[begin:end])}."
    )
    return message + remark(ids, forced, row[begin + 1 if forced else at :])


def remark(ids, forced, row):
    start, end = ids["<|output_start|>"], ids["<|output_end|>"]
    if not forced:
        if row and row[0] == start:
            return " There is nothing to answer here: this row made no call that has a value."
        return ""
    result = forced[1:-1]
    if row[: len(forced)] in ([start, *result[::-1], end], forced[::-1]) and row[: len(forced)] != forced:
        return " The answer is there, and comes out backwards."
    if row[: len(result) + 1] == [*result, end]:
        return " A reader of these tokens meets the answer before anything says that an output begins."
    if row[: len(result) + 1] == [start, *result] and row[: len(forced)] != forced:
        return " The output begins and never ends."
    if row[: len(forced)] == forced:
        return " The answer is right, and something follows it that the model did not say."
    if row[:1] == [start]:
        return " What stands in the output is not this call's answer."
    return ""


def spelled(inputs, tokens):
    names = {number: name for name, number in inputs["ids"].items()}
    return " ".join(repr(names.get(token, token)) for token in tokens) or "no further"
