"""Whole programmes to begin with, as data."""

from types import MappingProxyType
from typing import Final

from rewards.presets import classic, retail_cn
from rewards.presets.shape import Preset

PRESETS: Final = MappingProxyType[str, Preset](
    {preset.code: preset for preset in (classic.PRESET, retail_cn.PRESET)}
)
