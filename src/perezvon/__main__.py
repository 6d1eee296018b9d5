"""`perezvon` and `python -m perezvon`."""

import sys

from perezvon import cli


def main() -> None:
    cli.run(sys.argv[1:])


if __name__ == "__main__":
    main()
