"""Unit aliases: the type says the unit, the name repeats it."""

from typing import Annotated, Any, TypeAlias

from numpy.typing import NDArray

Real: TypeAlias = float | NDArray[Any]  # one value, or a column of a million

Seconds = Annotated[Real, "s"]
Bytes = Annotated[Real, "byte"]
BytesPerSecond = Annotated[Real, "byte/s"]  # per chip, one direction, payload
Flop = Annotated[Real, "flop"]
FlopPerSecond = Annotated[Real, "flop/s"]  # dense, never the 2:4 sparse figure
Watts = Annotated[Real, "W"]
Joules = Annotated[Real, "J"]
Usd = Annotated[Real, "USD"]
UsdPerSecond = Annotated[Real, "USD/s"]
UsdPerJoule = Annotated[Real, "USD/J"]
Kilograms = Annotated[Real, "kg"]
KilogramsPerJoule = Annotated[Real, "kg/J"]
PerSecond = Annotated[Real, "1/s"]
Metres = Annotated[Real, "m"]
Count = Annotated[Real, "1"]
Fraction = Annotated[Real, "1"]  # 0..1; percent only on a face
