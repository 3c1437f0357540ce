"""Keep what learners type out of the access log."""

import logging

ACCESS_LOGGER = "uvicorn.access"


class QueryStrippingFilter(logging.Filter):
    """Remove the query string, which holds what learners type, from uvicorn's access records."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple) and len(record.args) == 5:
            client, method, path, *rest = record.args
            record.args = (client, method, str(path).partition("?")[0], *rest)
        return True


def strip_queries_from_access_log() -> None:
    """Add the filter to uvicorn's access logger, once."""
    logger = logging.getLogger(ACCESS_LOGGER)
    if not any(isinstance(each, QueryStrippingFilter) for each in logger.filters):
        logger.addFilter(QueryStrippingFilter())
