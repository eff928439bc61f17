"""Measures of how near a candidate comes to a reference on the same grid; arrays are ``[k, j, i]``."""

from .foreground import foreground
from .ncc import ncc
from .psnr import psnr
from .ssim import mean_ssim, ssim, ssim_map

__all__ = ["foreground", "mean_ssim", "ncc", "psnr", "ssim", "ssim_map"]
