from app.evaluation.progress import NO_PROGRESS, ProgressBar


def test_without_a_terminal_each_stage_is_one_line(capsys):
    with ProgressBar(5) as progress:
        assert [*progress.track("heads", [1, 2])] == [1, 2]
        assert [*progress.track("heads", [3])] == [3]
        assert [*progress.track("loss", [4, 5])] == [4, 5]
    assert capsys.readouterr().err == "heads\nloss\n"


def test_without_a_progress_bar_nothing_is_printed(capsys):
    assert [*NO_PROGRESS.track("heads", [1, 2])] == [1, 2]
    assert capsys.readouterr() == ("", "")
