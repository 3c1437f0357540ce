import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request

from app.web.rate_limit import rate_limiter
from tests.coroutines import finished


def statuses(*addresses):
    """What each request is answered, in turn, where two a minute are allowed."""
    within = rate_limiter(2)

    async def ask(address):
        try:
            await within(Request({"type": "http", "client": (address, 1)}))
        except HTTPException as error:
            return error.status_code
        return 200

    async def ask_all():
        return [await ask(address) for address in addresses]

    return finished(ask_all())


def test_each_address_has_its_own_limit():
    assert statuses("10.0.0.1", "10.0.0.1", "10.0.0.1", "10.0.0.2") == [200, 200, 429, 200]


def test_the_addresses_of_one_line_count_as_one():
    """A home has 2**64 of them, and may use a new one each time."""
    home, next_door = "2001:db8:1:2", "2001:db8:1:3"
    asked = (f"{home}::1", f"{home}:ffff::2", f"{home}::3", f"{next_door}::1")
    assert statuses(*asked) == [200, 200, 429, 200]


def test_an_old_address_written_as_a_new_one_is_that_address():
    asked = ("10.0.0.1", "::ffff:10.0.0.1", "::ffff:10.0.0.1", "::ffff:10.0.0.2")
    assert statuses(*asked) == [200, 200, 429, 200]


@pytest.mark.parametrize("name", ["testclient", "", "fe80::1%eth0"])
def test_whatever_a_server_calls_an_address_has_a_limit(name):
    assert statuses(name, name, name) == [200, 200, 429]
