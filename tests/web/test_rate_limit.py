import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request

from app.web.rate_limit import rate_limiter
from tests.coroutines import run_coroutine


def statuses(*addresses):
    """What each request is answered, in turn, where two a minute are allowed."""
    check_limit = rate_limiter(2)

    async def ask(address):
        try:
            await check_limit(Request({"type": "http", "client": (address, 1)}))
        except HTTPException as error:
            return error.status_code
        return 200

    async def ask_all():
        return [await ask(address) for address in addresses]

    return run_coroutine(ask_all())


def test_each_address_has_its_own_limit():
    assert statuses("10.0.0.1", "10.0.0.1", "10.0.0.1", "10.0.0.2") == [200, 200, 429, 200]


def test_addresses_of_one_ipv6_network_count_as_one():
    """A home has 2**64 of them, and may use a new one each time."""
    home, next_door = "2001:db8:1:2", "2001:db8:1:3"
    addresses_in_order = (f"{home}::1", f"{home}:ffff::2", f"{home}::3", f"{next_door}::1")
    assert statuses(*addresses_in_order) == [200, 200, 429, 200]


def test_an_ipv4_mapped_address_is_its_ipv4_address():
    addresses_in_order = ("10.0.0.1", "::ffff:10.0.0.1", "::ffff:10.0.0.1", "::ffff:10.0.0.2")
    assert statuses(*addresses_in_order) == [200, 200, 429, 200]


@pytest.mark.parametrize("name", ["testclient", "", "fe80::1%eth0"])
def test_any_client_name_has_a_limit(name):
    assert statuses(name, name, name) == [200, 200, 429]
