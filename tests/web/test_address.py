"""Addresses: parsed, shown as URL, listened on."""

import socket

import pytest

from digitedge.errors import InputError
from digitedge.web import Address, parse_address
from digitedge.web.address import listen


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("8000", Address(8000, "127.0.0.1")),
        ("0", Address(0)),
        ("0.0.0.0:80", Address(80, "0.0.0.0")),
        ("raspberrypi.local:8000", Address(8000, "raspberrypi.local")),
        ("[::1]:8000", Address(8000, "::1")),
    ],
)
def test_port_and_host_with_port_are_parsed(text: str, address: Address) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize(
    "text", ["", "web", "localhost", ":8000", "65536", "-1", "a b:80", "::1", "http://x:80", "80\n"]
)
def test_any_other_text_raises_input_error_with_examples(text: str) -> None:
    with pytest.raises(InputError, match=r"such as 8000, 0\.0\.0\.0:8000"):
        parse_address(text)


def test_the_url_of_all_interfaces_has_an_address_that_others_can_open() -> None:
    url = Address(8000, "0.0.0.0").url
    assert url.endswith(":8000/")
    assert "0.0.0.0" not in url


def test_a_port_in_use_raises_input_error_with_another_port() -> None:
    with listen(Address(0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=f"port {port} of 127.0.0.1 is in use.*another port, such as {port + 1}"):
            listen(Address(port))


def test_a_host_of_another_machine_raises_input_error() -> None:
    with pytest.raises(InputError, match=r"cannot listen on 192\.0\.2\.1: .*Use 127\.0\.0\.1"):
        listen(Address(0, "192.0.2.1"))


def test_port_0_listens_on_a_free_port() -> None:
    with listen(Address(0)) as one, listen(Address(0)) as other:
        assert 0 not in (one.getsockname()[1], other.getsockname()[1])
        assert isinstance(one, socket.socket)
