"""Gives the calculator expressions: arithmetic, counting, what has no value, and what is at its limits."""

import tracemalloc
import warnings

# An expression each between bars.
EXACT = """
1+1 ¦ 2 - 5 ¦ -7 // 2 ¦ 7 // -2 ¦ -7 % 3 ¦ 7 % -3 ¦ 17 % 5 ¦ 2 ** 10 ¦ (-2) ** 3
2 ** 3 ** 2 ¦ -2 ** 2 ¦ +3 ¦ - -4 ¦ +-+5 ¦ 0 * -1 ¦ ((12 + 30)) * 2 ¦ 12 * (3 - 5)
7 - 3 - 2 ¦ 99 ** 20 ¦ 0 ** 0 ¦ 1_000 * 2 ¦ 0x10 + 1 ¦ 2 ** 0 ¦ 0 ** 5 ¦ (-1) ** 100001
1 ** 99999 ¦ 0 ** 999 ¦ 3 // 1 ¦ 5 % 5
"""
ROUNDED = """
6 / 3 ¦ 7 / 4 ¦ 1 / 3 ¦ -2 / 3 ¦ 0.1 + 0.2 ¦ 0 / -5 ¦ 1 / 3000 ¦ 3e-7 * 1
12345678901.5 * 1 ¦ 10 ** 20 / 2 ¦ 2 ** -2 ¦ 2 ** 0.5 ¦ 100.0 ¦ 1000.0 * 10 ¦ 0.001
0.00099999999 ¦ 0.0010000004 ¦ 0.0010005 ¦ -0.0005 / 7 ¦ 1e-10 / 3 ¦ 1234567.1234567
0.5 * 3 ¦ 7.5 // 2 ¦ 7.5 % 2 ¦ -0.0 ¦ 0.0000001 - 0.0000001 ¦ 1e15 / 7 ¦ 2.5e-5 * 2
1.9999999 ¦ 0.9999996 ¦ 123.456789012 ¦ 1e22 * 1.0 ¦ 3 - 0.5 ¦ 2**400.5 / 2**395.5
5e-324 ¦ 1e-90
"""
COUNTS = """
"strawberry".count("r") ¦ 'banana'.count('an') ¦ 'banana'.count('an') + 1
'aaa'.count('aa') ¦ 'a,b'.count(',') ¦ 'abc'.count('') ¦ ''.count('a') ¦ 'Aa'.count('a')
2 * 'xx'.count('x') ¦ 'a'.count("a") ** 2 ¦ -'ab'.count('b') ¦ 'é🙂é'.count('é')
'a b'.count(' ')
"""
REFUSED = """
12 + ¦ (4 ¦ x * 2 ¦ 7 // 0 ¦ 7 / 0 ¦ 7 % 0 ¦ 0.0 / 0 ¦ 0 ** -1 ¦ 1e308 * 10
(-8) ** 0.5 ¦ 1e400 ¦ True ¦ True + 1 ¦ None ¦ 'a' ¦ 'a' + 'b' ¦ 'a' * 3 ¦ [1] ¦ 1, 2
1 < 2 ¦ not 1 ¦ ~5 ¦ 1 if 1 else 2 ¦ 1 << 4 ¦ 1 & 1 ¦ 3 | 4 ¦ 3 ^ 4 ¦ 1 @ 2 ¦ 1j
2 ** 1j ¦ print(3) ¦ abs(-3) ¦ int('3') ¦ __import__('os') ¦ 'a'.upper() ¦ 'a'.find('a')
'a'.count ¦ 'a'.count() ¦ 'aa'.count('a', 1) ¦ 'aa'.count('a', start=1) ¦ 'ab'.count(1)
(1).count('a') ¦ b'aa'.count(b'a') ¦ f'a'.count('a') ¦ 'a'.count(*'a') ¦ x.count('a')
'a'.count(x) ¦ lambda: 1 ¦ a = 1 ¦ 1; 2 ¦ import os ¦ 1 and 2 ¦ (lambda: 3)()
'ab'.index('b') ¦ 'aa'.count('a').real ¦ 2 ** 2 ** 2 ** 2 ** 2 ** 2 ¦ 9 ** 9 ** 9 ¦ ()
{} ¦ ... ¦ count('a') ¦ 'a'.count('a')('a') ¦ 1__0 ¦ 08 ¦ 1.5 + True ¦ -True
"""


def draw(rng):
    """Expressions of random numbers and operators, and words of which letters are counted."""
    expressions = []
    for op in ("+", "-", "*", "/", "//", "%", "**"):
        for _ in range(4):
            a, b, c = (rng.randint(2, 9) if op == "**" else rng.randint(1, 99) for _ in range(3))
            expressions += [f"{a} {op} {b} - {c}", f"({a} - {c}) {op} {b}", f"-{a}.{c} {op} {b}"]
    for _ in range(6):
        word = "".join(rng.choice("abc") for _ in range(rng.randint(3, 30)))
        expressions.append(f"'{word}'.count('{rng.choice(['a', 'b', 'ab'])}')")
    return {"expressions": expressions}


def measure(inputs):
    """The result of every expression by its text; for those at the limits, by what they are."""
    from nanochat.calculator import use_calculator

    def results(lines):
        expressions = (one.strip() for line in lines.strip().splitlines() for one in line.split("¦"))
        return {one: use_calculator(one) for one in expressions}

    return {
        "drawn": {one: use_calculator(one) for one in inputs["expressions"]},
        "exact": results(EXACT),
        "rounded": results(ROUNDED),
        "counts": results(COUNTS),
        "refused": results(REFUSED),
        "spaces around it": [use_calculator(one) for one in ("", " ", " 1 + 1\n", "\t2", "1 \x00", "1 +\n2")],
        "limits": {name: use_calculator(one) for name, one in expressions_at_the_limits().items()},
        "much memory": much_memory("2**331", "3**300000", "2**400000", "(9**100)**330", "(-3)**300000"),
        "warnings": warnings_of(r"'\d'.count('d')"),
        "warnings of others afterwards": warnings_afterwards(),
    }


def expressions_at_the_limits():
    """Lengths, depths and sizes, each the largest that is computed and the next one."""
    nines = "9" * 100
    return {
        "1000 characters": "1" + " " * 997 + "+1",
        "1001 characters": "1" + " " * 998 + "+1",
        "1000 characters, most of them spaces": " " * 999 + "1",
        "100 operations within operations": "-" * 100 + "1",
        "101 operations within operations": "-" * 101 + "1",
        "100 pluses within pluses": "+" * 100 + "1",
        "101 pluses within pluses": "+" * 101 + "1",
        "100 sums within sums": "1" + "+1" * 100,
        "101 sums within sums": "1" + "+1" * 101,
        "100 powers within powers": "1**" * 100 + "1",
        "101 powers within powers": "1**" * 101 + "1",
        "too deep to be parsed": "(" * 450 + "1" + ")" * 450,
        "100 digits": nines,
        "100 digits and a sign": "-" + nines,
        "one more than 100 digits": nines + "+1",
        "one digit less": nines + "-" + "9" * 99,
        "101 digits on the way": f"({nines} + 1) // 10",
        "333 bits": f"{2**333 - 1} // 10**9",
        "334 bits": f"{2**333} // 10**9",
        "333 bits on the way": "(2**332 * 2 - 2**331) // 10**9",
        "334 bits on the way": "(2**332 * 2) // 10**9",
        "a power of 333 bits": "2**332 // 10**9",
        "a power of 334 bits": "2**333 // 10**9",
        "a large power": "3**210 // 10**9",
        "a power that is too large": "3**334",
        "a negative base": "(-2)**332 // 10**9",
        "a negative base that is too large": "(-2)**334",
        "a power of a power": "(2**20)**16 // 10**9",
        "a power of a power that is too large": "(2**20)**17",
        "a large power of a decimal": "2.0**1023 / 2.0**1000",
        "an infinite power of a decimal": "2.0**1024",
        "a huge negative power": "2**-2000",
        "a product that is too large": "10**60 * 10**60",
        "a division of large numbers": "10**90 / 10**80",
        "many characters of a decimal": "1e98 * 1",
        "too many characters of a decimal": "1e100 * 1",
    }


def much_memory(small, *expressions):
    """Whether numbers that are refused are computed first: much more memory than a small one takes."""
    from nanochat.calculator import use_calculator

    def peak(one):
        tracemalloc.start()
        use_calculator(one)
        try:
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    def least(one):
        # spelt in three ways: what remembers results takes more memory now and then, and none for a known one
        return min(map(peak, (one, one.replace("**", " **", 1), one.replace("**", "** ", 1))))

    enough = least(small) + 8000
    return [least(one) > enough for one in expressions]


def warnings_of(expression):
    """How many warnings reach the caller, who wants to see them all."""
    from nanochat.calculator import use_calculator

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        use_calculator(expression)
    return len(caught)


def warnings_afterwards():
    """How many of the caller's own warnings are seen that come after a calculation."""
    from nanochat.calculator import use_calculator

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        use_calculator("1 + 1")
        warnings.warn("of the caller", stacklevel=1)
    return len(caught)
