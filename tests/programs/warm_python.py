"""Runs in an environment of one SDK release: imports it once, and forks for each program that standard input names.

A line is JSON: source, environment, files for output and errors; the answer is the exit code. A fork is a process of its own,
as a program has it that Python has just been started for: environment, arguments, standard streams, exit code.
"""

import json
import os
import runpy
import sys
import traceback


def main() -> None:
    import openai
    import openai.resources.beta
    import openai.resources.vector_stores

    assert openai.AsyncOpenAI
    for line in sys.stdin:
        print(json.dumps(run(**json.loads(line))), flush=True)


def run(source: str, environment: dict[str, str], output: str, errors: str) -> int:
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    code = 1
    try:
        for path, number in ((os.devnull, 0), (output, 1), (errors, 2)):
            os.dup2(os.open(path, os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), number)
        os.environ.clear()
        os.environ.update(environment)
        sys.argv, sys.path[0], sys.warnoptions = [source], os.path.dirname(source), ["ignore"]
        import warnings

        warnings.simplefilter("ignore")
        runpy.run_path(source, run_name="__main__")
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
