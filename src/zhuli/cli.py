"""The command line: parse, build the app, start it. What a command does is in operating/ and server/.

Commands import what they need when they run, so that `zhuli --help` does not load a web framework.
"""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
