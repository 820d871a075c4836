"""How parameters start: everything that torch.nn.init has, named as there without the last underscore."""

from __future__ import annotations

from netc.layer import Float, Initializer, Int, Word

NONLINEARITIES = (
    "linear", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "sigmoid",
    "tanh", "relu", "leaky_relu", "selu",
)  # fmt: skip


class uniform(Initializer):
    """Draws from the uniform distribution between `a` and `b`. See torch.nn.init.uniform_."""

    call = "torch.nn.init.uniform_"
    a = Float(0.0, doc="lower bound")
    b = Float(1.0, doc="upper bound")


class normal(Initializer):
    """Draws from a normal distribution. See torch.nn.init.normal_."""

    call = "torch.nn.init.normal_"
    mean = Float(0.0, doc="mean of the distribution")
    std = Float(1.0, min=0, doc="its standard deviation")


class trunc_normal(Initializer):
    """Draws from a normal distribution cut off at `a` and `b`. See torch.nn.init.trunc_normal_."""

    call = "torch.nn.init.trunc_normal_"
    mean = Float(0.0, doc="mean of the distribution before the cut")
    std = Float(1.0, min=0, doc="its standard deviation before the cut")
    a = Float(-2.0, doc="least value, not in units of `std`")
    b = Float(2.0, doc="greatest value, not in units of `std`")


class constant(Initializer):
    """Sets every element to `val`. See torch.nn.init.constant_."""

    call = "torch.nn.init.constant_"
    val = Float(doc="the value")


class ones(Initializer):
    """Sets every element to 1. See torch.nn.init.ones_."""

    call = "torch.nn.init.ones_"


class zeros(Initializer):
    """Sets every element to 0. See torch.nn.init.zeros_."""

    call = "torch.nn.init.zeros_"


class eye(Initializer):
    """Makes a matrix the identity: ones on the diagonal. See torch.nn.init.eye_."""

    call = "torch.nn.init.eye_"


class dirac(Initializer):
    """Makes a convolution pass its input channels on: the Dirac delta. See torch.nn.init.dirac_."""

    call = "torch.nn.init.dirac_"
    groups = Int(1, min=1, doc="groups of the convolution")


class xavier_uniform(Initializer):
    """Draws uniformly within `gain * sqrt(6 / (fan_in + fan_out))`.

    See torch.nn.init.xavier_uniform_ and Glorot and Bengio, "Understanding the difficulty of training deep feedforward
    neural networks" (2010).
    """

    call = "torch.nn.init.xavier_uniform_"
    gain = Float(1.0, doc="factor of the width")


class xavier_normal(Initializer):
    """Draws normally with deviation `gain * sqrt(2 / (fan_in + fan_out))`.

    See torch.nn.init.xavier_normal_ and Glorot and Bengio (2010).
    """

    call = "torch.nn.init.xavier_normal_"
    gain = Float(1.0, doc="factor of the deviation")


class kaiming_uniform(Initializer):
    """Draws uniformly within `gain * sqrt(3 / fan)`, the gain following from the nonlinearity.

    See torch.nn.init.kaiming_uniform_ and He et al., "Delving Deep into Rectifiers" (2015).
    """

    call = "torch.nn.init.kaiming_uniform_"
    a = Float(0.0, doc="negative slope, with leaky_relu only")
    mode = Word("fan_in", "fan_out", default="fan_in", doc="keeps the variance forward (fan_in) or backward")
    nonlinearity = Word(*NONLINEARITIES, default="leaky_relu", doc="the function that follows")


class kaiming_normal(Initializer):
    """Draws normally with deviation `gain / sqrt(fan)`, the gain following from the nonlinearity.

    See torch.nn.init.kaiming_normal_ and He et al. (2015).
    """

    call = "torch.nn.init.kaiming_normal_"
    a = Float(0.0, doc="negative slope, with leaky_relu only")
    mode = Word("fan_in", "fan_out", default="fan_in", doc="keeps the variance forward (fan_in) or backward")
    nonlinearity = Word(*NONLINEARITIES, default="leaky_relu", doc="the function that follows")


class orthogonal(Initializer):
    """Makes a matrix with orthonormal rows or columns; dimensions after the first count as one.

    See torch.nn.init.orthogonal_ and Saxe et al., "Exact solutions to the nonlinear dynamics of learning in deep
    linear neural networks" (2013).
    """

    call = "torch.nn.init.orthogonal_"
    gain = Float(1.0, doc="factor of the matrix")


class sparse(Initializer):
    """Draws a matrix normally and sets a part of each column to zero.

    See torch.nn.init.sparse_ and Martens, "Deep learning via Hessian-free optimization" (2010).
    """

    call = "torch.nn.init.sparse_"
    sparsity = Float(min=0, max=1, doc="the part of each column that is zero")
    std = Float(0.01, min=0, doc="standard deviation of the rest")
