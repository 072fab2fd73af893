"""Applies changes to an embedded index until it is killed, and says each time how far it is: `… apply_for_ever FOLDER`."""

import asyncio
import sys

from zhuli.registry import find
from zhuli.testing.index_contract import Books


async def main(folder: str) -> None:
    index, books = find("indexes", "embedded")({"data_dir": folder, "database_url": "sqlite://"}), Books(1)
    number = 0
    while True:
        number += 1
        await index.apply("vs_a", [books.story(number)], number)
        print(number, flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
