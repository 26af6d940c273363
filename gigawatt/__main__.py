"""python -m gigawatt: the command line."""

from gigawatt.cli.main import main

if __name__ == "__main__":
    main()
