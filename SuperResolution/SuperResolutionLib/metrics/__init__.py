"""Measures of how near a candidate comes to a reference on the same grid; arrays are ``[k, j, i]``."""

from .edge_width import Edges, EdgeWidth, edge_width, find_edges
from .foreground import foreground
from .ifc import ifc
from .mean_square import mse, rmse
from .ms_ssim import ms_ssim
from .ncc import ncc
from .niqe import niqe, perceptual_index
from .period_energy import period_energy
from .picture_psnr import picture_psnr
from .psnr import psnr
from .ssim import mean_ssim, ssim, ssim_map
from .vif import vif

__all__ = [
    "EdgeWidth",
    "Edges",
    "edge_width",
    "find_edges",
    "foreground",
    "ifc",
    "mean_ssim",
    "ms_ssim",
    "mse",
    "ncc",
    "niqe",
    "perceptual_index",
    "period_energy",
    "picture_psnr",
    "psnr",
    "rmse",
    "ssim",
    "ssim_map",
    "vif",
]
