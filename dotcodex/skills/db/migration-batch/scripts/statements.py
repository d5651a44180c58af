"""Statements of an SQL text, each with the line on which it begins; and what a migration may not hold. Pure.

Knows strings, comments, dollar quotes, and bodies that hold semicolons (triggers, BEGIN ATOMIC). Not a parser: what a
statement does is for the database to say.
"""

import re

PIECE = re.compile(
    r"""(?P<blank>\s+|--[^\n]*)
    |(?P<block>/\*)
    |(?P<text>[eE]'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`
        |(?P<dollar>\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$).*?(?P=dollar))
    |(?P<word>[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*)
    |(?P<end>;)
    |(?P<other>.)""",
    re.S | re.X,
)
# SAVEPOINT and ROLLBACK TO stay inside the transaction.
FORBIDDEN = {"BEGIN", "START", "COMMIT", "END", "ABORT", "ROLLBACK"}


def statements(text):
    """(line, text) of each; the last one may lack its semicolon. Blanks and comments alone are none."""
    found, start, line, begun, words, depth, at = [], 0, 1, None, [], 0, 0
    while at < len(text):
        piece = PIECE.match(text, at)
        end = block_end(text, at) if piece["block"] else piece.end()
        if not (piece["blank"] or piece["block"]) and begun is None and not piece["end"]:
            begun = line + text.count("\n", start, at)
        if piece["word"]:
            word = piece["word"].upper()
            words.append(word)
            if words[0] == "CREATE" and len(words) > 1:
                # The body of a trigger, or of a function after BEGIN ATOMIC.
                if word == "BEGIN" or (word == "CASE" and depth > 0):
                    depth += 1
                elif word == "END" and depth > 0:
                    depth -= 1
        if piece["end"] and depth == 0:
            if begun is not None:
                found.append((begun, text[start:end].strip()))
            line += text.count("\n", start, end)
            start, begun, words = end, None, []
        at = end
    if begun is not None:
        found.append((begun, text[start:].strip()))
    return found


def block_end(text, at):
    depth = 0
    for mark in re.compile(r"/\*|\*/").finditer(text, at):
        depth += 1 if mark[0] == "/*" else -1
        if depth == 0:
            return mark.end()
    return len(text)


def refusal(text):
    """(line, why) where a file holds what its transaction, or psql, would stumble over; else None."""
    for line, statement in statements(text):
        words = re.findall(r"[A-Za-z_]+|\\", bare(statement)[:200])
        first = words[0].upper() if words else ""
        second = words[1].upper() if len(words) > 1 else ""
        rolls_to = first == "ROLLBACK" and "TO" in [word.upper() for word in words[1:4]]
        prepares = first == "PREPARE" and second == "TRANSACTION"
        if (first in FORBIDDEN and not rolls_to) or prepares or (first == "SET" and second == "TRANSACTION"):
            return line, "%s does not belong into a migration: each file is a transaction already" % " ".join(words[:1]).upper()
    for number, line in enumerate(blanked(text).split("\n"), 1):
        if "\\" in line:
            return number, "psql commands such as %s do not belong into a migration" % line[line.index("\\") :].split(" ", 1)[0]
    return None


def bare(statement):
    """Without the comments in front of it."""
    at = 0
    while at < len(statement):
        piece = PIECE.match(statement, at)
        if piece["block"]:
            at = block_end(statement, at)
        elif piece["blank"]:
            at = piece.end()
        else:
            break
    return statement[at:]


def blanked(text):
    """Without strings and comments, on the same lines."""
    kept, at = [], 0
    while at < len(text):
        piece = PIECE.match(text, at)
        end = block_end(text, at) if piece["block"] else piece.end()
        quoted = piece["text"] or piece["block"] or (piece["blank"] or "").startswith("--")
        kept.append(re.sub(r"[^\n]", " ", text[at:end]) if quoted else text[at:end])
        at = end
    return "".join(kept)


def stands_alone(text):
    return text.split("\n", 1)[0].strip().lower() == "-- no-transaction"
