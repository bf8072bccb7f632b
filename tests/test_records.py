"""JSON of ours, read back, and JSON that is not ours, refused."""

import json
import math
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_filtergan.errors import InputError
from keras_filtergan.files import write_json
from keras_filtergan.guards.reading import check_plain_file, read_plain_file
from keras_filtergan.guards.records import Each, mismatch, parse_record, read_record

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(content=st.dictionaries(st.text(), JSON, max_size=5))
@settings(max_examples=20, deadline=None)
def test_what_is_written_is_read_back(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "written.json"
    write_json(path, content)
    assert read_record(path, dict, "write it again") == content


@given(content=st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_either_read_or_refused_in_a_line(content):
    """What is let through is what an independent reader makes of it, and of the kind asked for."""
    kind = {"step": int, "means?": Each(float)}
    refusal = None
    try:
        value = parse_record(content, kind)
    except ValueError as error:
        refusal = str(error)
    if refusal is not None:
        assert "\n" not in refusal
        return
    assert value == json.loads(content)
    assert isinstance(value["step"], int)
    assert not isinstance(value["step"], bool)
    assert all(math.isfinite(one) for one in value.get("means", {}).values())


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[1, 2]", "it is [1, 2], expected an object"),
        ("null", "it is null, expected an object"),
        ('{"step": true}', "step is true, expected a whole number"),
        ('{"step": "5"}', "step is '5', expected a whole number"),
        ('{"step": 5.5}', "step is 5.5, expected a whole number"),
        ("{}", "step is missing"),
        ('{"step": 1, "means": {"d_loss": []}}', "means.d_loss is [], expected a number"),
        ('{"step": ' + "9" * 5000 + "}", "a number of 5,000 digits"),
        ('{"step": 1, "means": {"d": 1e999}}', "the number 1e999, which is too large"),
        ('{"step": 1, "means": {"d": NaN}}', "it holds NaN"),
        ("[" * 100_000, "nested too deeply"),
        ('{"step": ', "Expecting value"),
        (b'{"step": "\xff"}', "it is not UTF-8"),
    ],
)
def test_reasons(text, reason):
    kind = {"step": int, "means?": Each(float)}
    with pytest.raises(ValueError, match=r".") as caught:
        parse_record(text, kind)
    assert reason in str(caught.value)


def test_kinds():
    card = Each((float, None, Each(float)), {"taken_over?": Each(int)})
    assert mismatch({"a": 1, "b": None, "c": {"mean": 0.5}, "taken_over": {"a": 3}}, card) is None
    assert mismatch({"taken_over": {"a": 0.5}}, card) == (
        "taken_over.a is 0.5, expected a whole number"
    )
    assert mismatch({"c": [1]}, card) == (
        "c is [1], expected a number or null or an object of another form"
    )
    assert mismatch([1, "2"], [int]) == "1 is '2', expected a whole number"


def test_a_pipe_a_device_and_a_large_file_are_not_read(tmp_path):
    """The pipe would block for ever and the device fill the memory."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "device").symlink_to("/dev/zero")
    (tmp_path / "large").write_bytes(bytes(2000))
    (tmp_path / "loop").symlink_to("loop")
    for name, reason in (
        ("pipe", "is a pipe"),
        ("device", "is a device"),
        ("large", "at most 1,000 bytes"),
        (".", "is a folder"),
        ("loop", "Too many levels"),
    ):
        for read in (read_plain_file, check_plain_file):
            with pytest.raises(InputError, match=reason):
                read(tmp_path / name, 1000)
    assert read_plain_file(tmp_path / "large", 2000) == bytes(2000)
    with pytest.raises(FileNotFoundError):
        read_plain_file(tmp_path / "none", 1000)
