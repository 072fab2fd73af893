"""Asks another reader for the text of files, in the Python in which it is installed: a program of its own, without zhuli.

    PYTHON reading_beside.py TOOL < paths

A line of JSON for each path: {"text": … or null, "seconds": of processor}. TOOL is markitdown, pymupdf4llm or unstructured
(its mode "fast"). These are yardsticks; none is a dependency, and pymupdf4llm's licence (AGPL) would not allow it.
"""

import json
import sys
import time


def markitdown(path: str) -> str:
    from markitdown import MarkItDown

    return MarkItDown().convert(path).markdown


def pymupdf4llm(path: str) -> str:
    import pymupdf4llm as reader

    return reader.to_markdown(path, show_progress=False)


def unstructured(path: str) -> str:
    from unstructured.partition.auto import partition

    return "\n\n".join(str(element) for element in partition(path, strategy="fast"))


TOOLS = {tool.__name__: tool for tool in (markitdown, pymupdf4llm, unstructured)}


def main() -> None:
    read = TOOLS[sys.argv[1]]
    for path in sys.stdin.read().splitlines():
        began = time.process_time()
        try:
            text = read(path)
        except Exception:  # a file that a tool can't read is a result
            text = None
        print(json.dumps({"text": text, "seconds": time.process_time() - began}), flush=True)


if __name__ == "__main__":
    main()
