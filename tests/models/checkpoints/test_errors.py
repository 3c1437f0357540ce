from app.models.checkpoints.errors import MAX_REASON_LENGTH, checkpoint_error


def test_a_reason_is_one_printable_line(tmp_path):
    message = str(checkpoint_error(tmp_path, "a\nb\x1b[31m\ud800" + "x" * 10_000))
    assert message.isprintable()
    assert len(message) < len(str(tmp_path)) + MAX_REASON_LENGTH + 10
    message.encode()
