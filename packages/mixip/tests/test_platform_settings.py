"""What an operator reads when a setting is wrong."""

import pytest

from mixip.settings import SettingsError, from_environment


@pytest.mark.parametrize(
    ("variable", "written", "needed"),
    [
        ("MIXIP_PORT", "abc", "a whole number from 0 to 65535 is needed"),
        ("MIXIP_PORT", "65536", "a whole number from 0 to 65535 is needed"),
        ("MIXIP_MAX_FILE_BYTES", "5 GB", "a whole number above 0 is needed"),
        ("MIXIP_MAX_FILE_BYTES", "9" * 5000, "a whole number above 0 is needed"),
        ("MIXIP_ACCOUNT_QUOTA_BYTES", "1.5", "a whole number above 0 is needed"),
        ("MIXIP_ACCOUNT_QUOTA_BYTES", "0", "a whole number above 0 is needed"),
        ("MIXIP_DELIVERY_MAX_AGE_DAYS", "a week", "a number of days above 0 and up to 3650 is needed"),
        ("MIXIP_DELIVERY_MAX_AGE_DAYS", "nan", "a number of days above 0 and up to 3650 is needed"),
        (
            "MIXIP_POLICY",
            "/nowhere/policy.toml",
            "a file that exists is needed, or nothing for the policy that the platform comes with",
        ),
        ("MIXIP_PUBLIC_URL", "https://a.example:x", "an address like https://mixip.example.org is needed"),
        ("MIXIP_PUBLIC_URL", "https://[::1", "an address like https://mixip.example.org is needed"),
        (
            "MIXIP_TRUSTED_PROXIES",
            "proxy",
            "networks like 10.0.0.0/8, ::1 are needed, with only zeros after the prefix",
        ),
        (
            "MIXIP_TRUSTED_PROXIES",
            "10.0.0.1/8",
            "networks like 10.0.0.0/8, ::1 are needed, with only zeros after the prefix",
        ),
    ],
)
def test_a_wrong_setting_is_told_in_words_for_people(variable: str, written: str, needed: str) -> None:
    with pytest.raises(SettingsError) as caught:
        from_environment({variable: written})
    assert str(caught.value) == f"{variable}={written}: {needed}"
