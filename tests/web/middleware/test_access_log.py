import logging

from app.application import create_app
from app.web.middleware.access_log import ACCESS_LOGGER, QueryStrippingFilter


def access_record(*args):
    line = '%s - "%s %s HTTP/%s" %d'
    return logging.LogRecord(ACCESS_LOGGER, logging.INFO, "", 0, line, args, None)


def test_the_access_log_has_no_queries():
    record = access_record("127.0.0.1:1", "GET", "/a?text=xylophone", "1.1", 200)
    assert QueryStrippingFilter().filter(record)
    assert record.getMessage() == '127.0.0.1:1 - "GET /a HTTP/1.1" 200'


def test_the_filter_is_added_to_the_access_log_once():
    create_app()
    create_app()
    filters = logging.getLogger(ACCESS_LOGGER).filters
    assert sum(isinstance(each, QueryStrippingFilter) for each in filters) == 1
