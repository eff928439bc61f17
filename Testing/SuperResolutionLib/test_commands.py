from SuperResolutionLib.acquisition import PROFILES as ACQUIRED
from SuperResolutionLib.commands import PROFILES


def test_the_slice_profiles_that_commands_offer_are_those_there_are():
    assert tuple(ACQUIRED) == PROFILES
