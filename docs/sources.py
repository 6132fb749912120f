# SPDX-License-Identifier: MIT
"""What documents are made of: the comments and tables of the C sources."""
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parent.parent


def text_of(path):
    return (ROOT / path).read_text()


def plain(comment):
    """The text of one C comment, without its marks."""
    lines = [re.sub(r"^ ?\* ?", "", line.strip())
             for line in comment.removeprefix("/*").removesuffix("*/").strip("\n").split("\n")]
    return "\n".join(lines).strip("\n ")


def opening(path):
    """The comment that opens a file, behind its licence."""
    return plain(re.findall(r"/\*.*?\*/", text_of(path), re.DOTALL)[1])


def rows(path, macro):
    """The rows of a table `MACRO(A, B, …)`: lists of words, string literals joined and unquoted."""
    text = re.sub(r"\\\n", " ", text_of(path))
    found = []
    for match in re.finditer(rf"\b{macro}\(\s*([A-Z][A-Z0-9_]*,(?:[^()\"]|\"(?:[^\"\\]|\\.)*\")*)\)", text):
        words = re.findall(r'(?:"(?:[^"\\]|\\.)*"\s*)+|[^,"]+', match[1])
        found.append(["".join(re.findall(r'"((?:[^"\\]|\\.)*)"', word)) if '"' in word else word.strip()
                      for word in words if word.strip()])
    return found
