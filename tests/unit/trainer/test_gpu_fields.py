"""Fields of the driver: a code and a type for each value."""

from struct import pack

import pytest

from trainer.gpu.fields import field_readings
from trainer.gpu.nvml import Code, ValueType

UINT, ULL = ValueType.UNSIGNED_INT, ValueType.UNSIGNED_LONG_LONG


def value(field: int, kind: int, number: bytes, code: int = Code.SUCCESS) -> bytes:
    """Return one `nvmlFieldValue_t`."""
    return pack("=IIqqIi8s", field, 0, 0, 0, kind, code, number)


@pytest.mark.parametrize(
    ("kind", "number"),
    [
        (ValueType.DOUBLE, pack("=d", 55)),
        (ValueType.UNSIGNED_INT, pack("=I", 55)),
        (ValueType.UNSIGNED_LONG, pack("=Q", 55)),
        (ValueType.UNSIGNED_LONG_LONG, pack("=Q", 55)),
        (ValueType.SIGNED_LONG_LONG, pack("=q", 55)),
        (ValueType.SIGNED_INT, pack("=i", 55)),
        (ValueType.UNSIGNED_SHORT, pack("=H", 55)),
    ],
)
def test_number_of_each_type_is_read(kind: ValueType, number: bytes) -> None:
    """The type says how many of the eight bytes count; the others may hold anything."""
    padded = number + b"\xff" * (8 - len(number))
    assert field_readings(value(82, kind, padded)) == {"memory_temperature_celsius": 55}


def test_field_with_an_error_code_is_left_out() -> None:
    """The others of the same call stay."""
    answer = value(82, UINT, bytes(8), Code.NOT_SUPPORTED) + value(83, ULL, pack("=Q", 7000))
    assert field_readings(answer) == {"energy_joules": 7}


def test_nan_and_unknown_types_are_left_out() -> None:
    """A series is absent rather than NaN."""
    answer = value(82, ValueType.DOUBLE, pack("=d", float("nan"))) + value(83, 99, bytes(8))
    assert field_readings(answer) == {}


def test_narrow_counter_of_bytes_is_left_out() -> None:
    """It wraps so often that its rate would be invented."""
    assert field_readings(value(197, UINT, bytes(8))) == {}
    assert field_readings(value(197, ULL, pack("=Q", 5))) == {"pcie_bytes": {"tx": 5}}


def test_layout_is_that_of_the_bindings() -> None:
    """The struct that we unpack is the one that nvidia-ml-py lays out."""
    pynvml = pytest.importorskip("pynvml")
    array = (pynvml.c_nvmlFieldValue_t * 2)()
    array[1].fieldId, array[1].valueType, array[1].value.ullVal = 83, int(ULL), 9000
    array[0].nvmlReturn = int(Code.NOT_SUPPORTED)
    assert field_readings(array) == {"energy_joules": 9}
