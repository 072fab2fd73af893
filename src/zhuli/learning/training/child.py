"""The program that a server starts for each tuning: `python -m zhuli.learning.training.child (check|tune) FOLDER`.

A process of its own, because training takes memory and processors, and may take its process along. Lines on its standard
input, `cancel` and `pause`, ask it to stop; so does the end of that input, for then its parent has died, and SIGTERM. What
happens is in the folder's events.jsonl; the exit code is 0 whenever its last event says how it ended.
"""

import logging
import os
import signal
import sys
import threading
from pathlib import Path
from typing import BinaryIO

from zhuli.learning.training.control import Control
from zhuli.learning.training.event_log import events

ENDS = ("succeeded", "failed", "cancelled", "paused")


def main(arguments: list[str]) -> int:
    """Check or tune the folder that the arguments name; the exit code says how it ended."""
    command, folder = arguments
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    control = Control()
    signal.signal(signal.SIGTERM, lambda *_: control.ask("pause"))
    threading.Thread(target=_listen, args=(sys.stdin.buffer, control), daemon=True).start()
    from zhuli.learning.training import tune  # after the ears are open, for it takes seconds

    (tune.check if command == "check" else tune.tune)(Path(folder), control=control)
    return 0 if any(event.kind in ENDS for event in events(Path(folder))[-1:]) else 1


def _listen(requests: BinaryIO, control: Control) -> None:
    for line in requests:
        match line.strip():
            case b"cancel":
                control.ask("cancel")
            case b"pause":
                control.ask("pause")
    control.ask("pause")


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    # Libraries' threads would hold the process up.
    os._exit(code)
