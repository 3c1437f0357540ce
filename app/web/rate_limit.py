"""Rate limit of the API and of files, for each client address."""

from collections.abc import Awaitable, Callable
from ipaddress import IPv6Address, IPv6Network, ip_address
from math import ceil
from time import time
from typing import Any

from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from starlette.exceptions import HTTPException
from starlette.requests import Request

from app.web.middleware.response_cache import RATE_LIMITED
from app.web.schemas import ErrorOut

RateLimitCheck = Callable[[Request], Awaitable[None]]
"""A FastAPI dependency that raises an `HTTPException` with status 429 beyond the limit."""

RATE_LIMIT_RESPONSES: dict[int | str, dict[str, Any]] = {
    429: {"model": ErrorOut, "description": "Too many requests in a minute"}
}
"""The same for the OpenAPI description."""


def client_key(host: str) -> str:
    """Return the address to count by: of IPv6 the /64 network, since a client may use all of it."""
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
    """Return a check that allows each client `per_minute` requests in a minute.

    It counts in memory, so each process counts for itself; addresses are forgotten after a minute.
    """
    limiter = SlidingWindowCounterRateLimiter(MemoryStorage())
    rate = RateLimitItemPerMinute(per_minute)

    async def check_rate_limit(request: Request) -> None:
        setattr(request.state, RATE_LIMITED, True)
        client = client_key(request.client.host) if request.client else "unknown"
        if await limiter.hit(rate, client):
            return
        window = await limiter.get_window_stats(rate, client)
        seconds = max(1, ceil(window.reset_time - time()))
        message = f"More than {per_minute} requests in a minute. Wait {seconds} seconds."
        raise HTTPException(429, message, {"Retry-After": str(seconds)})

    return check_rate_limit
