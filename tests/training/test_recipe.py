import argparse

import pytest

from training.recipe import Recipe, add_recipe_arguments, recipe_from_arguments


@pytest.mark.parametrize("peak_rate", [2e-3, 1.4e-3])
def test_the_command_of_a_recipe_makes_that_recipe(peak_rate):
    recipe = Recipe(4, 2, steps=3_000, tokens_a_step=3_072, peak_rate=peak_rate)
    parser = argparse.ArgumentParser()
    add_recipe_arguments(parser)
    options = recipe.command.removeprefix("python -m training.train").split()
    assert recipe_from_arguments(parser.parse_args(options)) == recipe


def test_runs_of_other_rates_do_not_share_a_folder():
    usual, lower = (Recipe(4, 0, 3_000, 3_072, peak_rate=rate) for rate in (2e-3, 1.4e-3))
    assert usual.name != lower.name
