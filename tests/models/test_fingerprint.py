from hashlib import sha256

from app.models.fingerprint import fingerprint_of, sha256_of


def test_the_digest_of_one_file_is_its_sha256(tmp_path):
    (tmp_path / "a").write_bytes(b"weights")
    assert sha256_of(tmp_path / "a") == sha256(b"weights").hexdigest()


def test_the_digest_of_several_files_depends_on_each_and_on_their_order(tmp_path):
    first, second = tmp_path / "a", tmp_path / "b"
    first.write_bytes(b"one")
    second.write_bytes(b"two")
    digests = {sha256_of(first), sha256_of(first, second), sha256_of(second, first)}
    second.write_bytes(b"three")
    assert len(digests | {sha256_of(first, second)}) == 4


def test_a_fingerprint_has_the_size_of_all_files(tmp_path):
    (tmp_path / "a").write_bytes(b"123")
    (tmp_path / "b").write_bytes(b"45")
    assert fingerprint_of([tmp_path / "a", tmp_path / "b"]).n_bytes == 5
