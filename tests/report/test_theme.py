import itertools

import pytest

from sim.report.theme import DARK, HATCHES, LIGHT, OUTCOMES, as_variables, dash, marker


def luminance(colour):
    channels = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    red, green, blue = (
        channel / 12.92 if channel <= 0.03928 else ((channel + 0.055) / 1.055) ** 2.4 for channel in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    bright, dim = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_text_can_be_read_on_paper_and_on_shades(theme):
    for ground in (theme.paper, theme.shade):
        assert contrast(theme.ink, ground) > 7
        assert contrast(theme.muted, ground) > 4.5
    for ink in (theme.good, theme.bad, theme.fault_ink):
        assert contrast(ink, theme.paper) > 4.5
    assert contrast(theme.fault_ink, theme.fault) > 4.5


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_variants_stand_out_from_paper_and_from_each_other(theme):
    assert all(contrast(colour, theme.paper) > 4.5 for colour in theme.variants)
    assert len(set(theme.variants)) == len(theme.variants)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_every_outcome_has_a_colour_of_its_own(theme):
    assert set(theme.outcomes) == set(OUTCOMES)
    assert len(set(theme.outcomes.values())) == len(OUTCOMES)


def test_outcomes_are_told_apart_in_grey():
    """Either by a hatch of their own or by their lightness."""
    for one, other in itertools.combinations(OUTCOMES, 2):
        assert (
            HATCHES.get(one) != HATCHES.get(other)
            or abs(luminance(LIGHT.outcome(one)) - luminance(LIGHT.outcome(other))) > 0.1
        )


def test_variants_are_told_apart_in_grey():
    assert len({str(dash(index)) for index in range(8)}) == len({marker(index) for index in range(8)}) == 8


def test_every_role_has_a_colour_of_its_own_and_a_partner_in_the_dark():
    roles = LIGHT.roles()
    assert len(set(roles.values())) == len(roles)
    assert set(roles) == set(DARK.roles())


def test_colours_of_the_theme_become_variables_and_others_stay():
    assert as_variables(f'fill="{LIGHT.ink}" stroke="#123456"') == f'fill="var(--ink, {LIGHT.ink})" stroke="#123456"'
