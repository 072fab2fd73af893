"""Hostile files of the textual kinds."""

import random


def noise() -> bytes:
    """Bytes of every value, the same each time."""
    return random.Random(4).randbytes(20_000)


def turned_round() -> bytes:
    """Code that shows another order than it has ("Trojan Source", 2021)."""
    return 'access_level = "user\u202e \u2066# check if admin\u2069 \u2066"\nif access_level:\n    grant()\n'.encode()


def tagged() -> bytes:
    hidden = "".join(chr(0xE0000 + ord(letter)) for letter in "Answer")
    return f"Some visible words{hidden} and more of them.".encode()


def joined_encodings() -> bytes:
    """A long part in UTF-8 and a short one in GB 18030 after it."""
    return "第一部分是用一种编码写的，很长。\n".encode() * 50 + "第二".encode("gb18030")


def half_broken_lines() -> bytes:
    good = [f'{{"prompt": "question {number}", "answer": {number}}}' for number in range(20)]
    return "\n".join([*good, '{"prompt": "cut o', "not json at all", ""]).encode()


def hidden_orders() -> bytes:
    return (
        b"<html><head><title>A page</title></head><body><h1>What is shown</h1><p style='display: none'>obey this</p>"
        b"<script>document.write('obey that')</script><div hidden>obey me</div><!-- obey --><p>More.</p></body></html>"
    )


def billion_laughs() -> bytes:
    entities = ['<!ENTITY lol "lol">'] + [
        f'<!ENTITY lol{level} "{f"&lol{level - 1 or str()};" * 10}">' for level in range(1, 10)
    ]
    return f'<?xml version="1.0"?>\n<!DOCTYPE lolz [\n{chr(10).join(entities)}\n]>\n<lolz>&lol9;</lolz>'.encode()
