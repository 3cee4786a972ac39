"""Networks by name, as functions of their parameters, and their derivatives."""

from lsr_core.networks import composed as composed  # these register the architectures that they define
from lsr_core.networks import convolutional as convolutional
from lsr_core.networks import deeponets as deeponets
from lsr_core.networks import modified as modified
from lsr_core.networks import neuraloperator as neuraloperator
from lsr_core.networks import operator_points as operator_points
from lsr_core.networks import pieces as pieces
from lsr_core.networks import pinn as pinn
from lsr_core.networks import spectral as spectral
from lsr_core.networks import transformer as transformer
from lsr_core.networks import unknown_architecture as unknown_architecture
