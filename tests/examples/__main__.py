"""Write the .out files anew: `python -m tests.examples`, and read the diff."""

from tests.examples import COMMANDS, FOLDER, printed

for name, command in COMMANDS.items():
    (FOLDER / f"{name}.out").write_text(printed(command), encoding="utf-8")
