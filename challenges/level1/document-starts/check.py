"""The token asked for with `prepend` stands in front of every row, whatever else is asked for."""

from bughunt.lab.expected.forms import Either, assert_form, exactly
from bughunt.lab.expected.merges import plain_ids, special_ids


def test_calls_do_not_disturb_each_other(inputs, measured):
    for call, answer, right in results(inputs, measured):
        assert answer["argument"] == call["text"], "The list given to encode must not be changed by the call."
        if answer["ids"] == right and answer["again"] != right:
            raise AssertionError(
                "The same call, made again after its first answer had been changed by its receiver, should "
                f"give the same ids. This time, {difference(answer['again'], right)}"
            )


def test_plain_text_is_encoded_as_it_stands(inputs, measured):
    for name in ("bytes", "merges"):
        for text, decoded in zip(inputs["texts"], measured[name]["decoded"], strict=True):
            assert decoded == text, (
                "Encoding a text with nothing in front and nothing behind, and decoding it again, must give "
                f"the text back. {text!r} came back as {decoded!r}."
            )
    complain([found for found in results(inputs, measured) if found[0]["prepend"] is None])


def test_the_token_stands_first(inputs, measured):
    complain([found for found in results(inputs, measured) if found[0]["prepend"] is not None])


def test_the_tokenizer_itself_is_called(inputs, measured):
    for call, answer, right in results(inputs, measured):
        assert answer["ids"] != right or answer["called"] == right, (
            "Calling the tokenizer itself should be the same as calling its encode, which is right with "
            f"{asked_for(call)}. Called itself, {difference(answer['called'], right)}"
        )


def test_there_is_no_such_token(inputs, measured):
    for name in ("bytes", "merges"):
        for found in measured[name]["unknown"]:
            token, outcomes = found["token"], found["outcomes"]
            assert outcomes == ["ValueError"] * 2, (
                f"There is no token {token!r}, so encode should refuse to {found['where']} it with a "
                f"ValueError, for one text and for a list. What came was {outcomes[0]} and {outcomes[1]}."
            )


def test_documents_begin_with_it_once(inputs, measured):
    """Where training reads them: what comes out of encode is what a batch is made of, and nothing more."""
    if measured["loaded"] in (None, stream(inputs, 1)):
        return
    for count, what in ((0, "none does"), (2, "they begin with two"), (3, "they begin with three")):
        assert measured["loaded"] != stream(inputs, count), (
            "The ids that encode returns are right. Each document that pretraining reads should begin with "
            f"one <|bos|>; {what}."
        )
    right, found = stream(inputs, 1), measured["loaded"]
    pairs = zip(found, right, strict=False)
    place = next((i for i, (one, other) in enumerate(pairs) if one != other), len(found))
    raise AssertionError(
        f"The ids that encode returns are right. In what pretraining reads of {len(inputs['documents'])} "
        f"documents, one <|bos|> in front of each, token {place} of {len(right)} is another one than it "
        f"should be: {shown([*map(ord, right[place : place + 4])])}, and found was "
        f"{shown([*map(ord, found[place : place + 4])])}."
    )


def stream(inputs, bos):
    """The documents end to end as bytes, so many times bos in front of each, cut to the length with one."""
    _, special_ids, _ = next(known(inputs))
    documents = ["".join(map(chr, document.encode())) for document in inputs["documents"]]
    whole = "".join(bos * chr(special_ids["<|bos|>"]) + document for document in documents)
    length = sum(1 + len(document) for document in documents)
    return (whole * 2)[:length]


def test_everything_was_measured(inputs, measured):
    forms = {}
    for name, specials, plain in known(inputs):
        answers = [(expected(call, plain, specials), call) for call in inputs["calls"]]
        unknown = [*inputs["unknown"], max(specials.values()) + 1]
        forms[name] = {
            "special_ids": specials,
            "plain": [plain[text] for text in inputs["texts"]],
            "decoded": inputs["texts"],
            "calls": [
                {"ids": ids, "again": ids, "called": ids, "argument": call["text"]} for ids, call in answers
            ],
            "unknown": [
                {"token": token, "where": where, "outcomes": ["ValueError"] * 2}
                for token in unknown
                for where in ("prepend", "append")
            ],
        }
    assert_form(measured, {**exactly(forms), "loaded": Either(None, stream(inputs, 1))})


def results(inputs, measured):
    """(call, what came back, what should) of every call of both tokenizers."""
    for name, specials, plain in known(inputs):
        for call, answer in zip(inputs["calls"], measured[name]["calls"], strict=True):
            yield call, answer, expected(call, plain, specials)


def known(inputs):
    """(tokenizer's name, ids of the special tokens, ids of the texts)"""
    for name, merges in (("bytes", 0), ("merges", inputs["merges"])):
        learnt = inputs["corpus"], merges
        yield name, special_ids(inputs["specials"], *learnt), plain_ids(inputs["texts"], *learnt)


def expected(call, plain, specials):
    def token(name):
        return specials[name] if isinstance(name, str) else name

    def row(text):
        first = [] if call["prepend"] is None else [token(call["prepend"])]
        last = [] if call["append"] is None else [token(call["append"])]
        return [*first, *plain[text], *last]

    return [row(text) for text in call["text"]] if isinstance(call["text"], list) else row(call["text"])


def difference(found, right):
    """In words, where an answer is not what it should be."""
    if not isinstance(found, list):
        return f"a list should come back, and what came back is of the type {found['type']}."
    if right and isinstance(right[0], list):
        if len(found) != len(right):
            return f"a list of {len(right)} texts should give as many rows; it gave {len(found)}."
        number = next((i for i, row in enumerate(found) if row != right[i]), 0)
        found, right = found[number], right[number]
        if not isinstance(found, list):
            return f"every row should be a list; row {number} is {shown_id(found)}."
        which = f"the ids of row {number} should be {shown(right)}; they are {shown(found)}."
    else:
        which = f"the ids should be {shown(right)}; they are {shown(found)}."
    return which


def shown(ids):
    if len(ids) > 8:
        return (
            f"[{', '.join(map(shown_id, ids[:4]))}, …, {', '.join(map(shown_id, ids[-2:]))}] ({len(ids)} ids)"
        )
    return f"[{', '.join(map(shown_id, ids))}]"


def shown_id(one):
    return f"<{one['type']}>" if isinstance(one, dict) else str(one)


def asked_for(call):
    return f"prepend={call['prepend']!r}, append={call['append']!r}"


def complain(asked):
    """Raises about the most telling of the wrong answers to the calls that were asked, if any is wrong."""
    wrong = [found for found in asked if found[1]["ids"] != found[2]]
    if wrong:
        call, answer, right = min(wrong, key=lambda found: found[0]["prepend"] != "<|bos|>")
        what = f"With {asked_for(call)}, {difference(answer['ids'], right)}"
        raise AssertionError(f"{what} {what_they_share(asked, wrong)}".strip())


def what_they_share(asked, wrong):
    """What all wrong answers have in common and, where it says so, no right one has, if that is telling."""
    calls = [call for call, _, _ in wrong]
    others = [call for call, answer, right in asked if answer["ids"] == right and call["text"] != []]

    def all_are(kind):
        return all(map(kind, calls))

    def just_these_are(kind):
        return all_are(kind) and not any(map(kind, others))

    def texts(call):
        return call["text"] if isinstance(call["text"], list) else [call["text"]]

    def form(call):
        return isinstance(call["text"], list), call["prepend"] is None, call["append"] is None

    def only_where(kind):
        """Are all of the kind, and is there, for each, one of its form that is not and is right?"""
        right = {form(found[0]) for found in asked if found[1]["ids"] == found[2] and not kind(found)}
        return all(kind(found) and form(found[0]) in right for found in wrong)

    def begins_with_it(found):
        call, _, right = found
        rows = right if isinstance(call["text"], list) else [right]
        return call["prepend"] is not None and any(len(row) > 1 and row[0] == row[1] for row in rows)

    if only_where(lambda found: found[0]["prepend"] == 0):
        return "Every other token is put in front; id 0 is a token, too."
    if only_where(lambda found: "" in texts(found[0])):
        return "Where there is no empty text all is right. An empty text is a text, too."
    if only_where(begins_with_it):
        return "All is right but where a text begins with the very token that is to stand in front of it."
    if only_where(lambda found: len(set(texts(found[0]))) < len(texts(found[0]))):
        return "All is right but where a list has the same text twice."
    if only_where(lambda found: any("<|" in text for text in texts(found[0]))):
        return "Text that spells a special token is text like any other."
    if just_these_are(lambda call: call["append"] is not None):
        return "Calls like it are right where nothing is to be appended."
    if just_these_are(lambda call: call["append"] is not None and isinstance(call["text"], list)):
        return "Calls like it are right, but not where something is to be appended to the texts of a list."
    if just_these_are(lambda call: isinstance(call["text"], list)):
        return "One text at a time is right; a list of texts is not."
    if just_these_are(lambda call: isinstance(call["text"], str)):
        return "A list of texts is right; one text at a time is not."
    if just_these_are(lambda call: isinstance(call["prepend"], int)):
        return "Special tokens asked for by name are put in front; a token may also be given by its id."
    if just_these_are(lambda call: isinstance(call["prepend"], str)):
        return "A token given by its id is put in front; one asked for by name should be, too."
    return ""
