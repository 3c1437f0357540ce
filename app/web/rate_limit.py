"""How often one address may ask the API."""

from collections.abc import Awaitable, Callable
from ipaddress import IPv6Address, IPv6Network, ip_address
from math import ceil
from time import time

from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from starlette.exceptions import HTTPException
from starlette.requests import Request

from app.web.middleware.response_cache import RATE_LIMITED

RateLimitCheck = Callable[[Request], Awaitable[None]]
"""Raises an `HTTPException` beyond a limit."""


def client_key(host: str) -> str:
    """An address, or of IPv6 the 64 bits that one line has: the rest is its own to choose."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if not isinstance(address, IPv6Address):
        return host
    if ipv4 := address.ipv4_mapped:
        return str(ipv4)
    return str(IPv6Network((address, 64), strict=False))


def rate_limiter(per_minute: int) -> RateLimitCheck:
    """A dependency that answers 429, with the seconds to wait, beyond so many requests a minute.

    Each process counts for itself, in memory; addresses are forgotten after a minute.
    """
    limiter = SlidingWindowCounterRateLimiter(MemoryStorage())
    rate = RateLimitItemPerMinute(per_minute)

    async def check(request: Request) -> None:
        setattr(request.state, RATE_LIMITED, True)
        client = client_key(request.client.host) if request.client else "unknown"
        if await limiter.hit(rate, client):
            return
        window = await limiter.get_window_stats(rate, client)
        seconds = max(1, ceil(window.reset_time - time()))
        message = f"More than {per_minute} requests in a minute. Wait {seconds} seconds."
        raise HTTPException(429, message, {"Retry-After": str(seconds)})

    return check
