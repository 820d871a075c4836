"""PyTorch's layers, losses and so on, data sources and torchvision's transforms, by the door that any plugin takes."""

from __future__ import annotations

from collections.abc import Mapping

from netc.hooks import hookimpl

# Each module of this package and the names that it defines: a layer's as a module and as a function.
LAYERS = {
    "netc_std.convolution": "Conv ConvTranspose",
    "netc_std.pooling": "MaxPool max_pool AvgPool avg_pool AdaptiveAvgPool adaptive_avg_pool AdaptiveMaxPool"
    " adaptive_max_pool LPPool lp_pool FractionalMaxPool fractional_max_pool MaxUnpool max_unpool",
    "netc_std.linear": "Linear linear Bilinear Embedding EmbeddingBag one_hot Identity",
    "netc_std.normalization": "BatchNorm InstanceNorm LayerNorm GroupNorm RMSNorm LocalResponseNorm"
    " local_response_norm CrossMapLRN2d",
    "netc_std.activation": "ReLU relu ReLU6 relu6 LeakyReLU leaky_relu PReLU RReLU rrelu ELU elu SELU selu CELU"
    " celu GELU gelu SiLU silu Mish mish Sigmoid sigmoid LogSigmoid logsigmoid Hardsigmoid hardsigmoid Hardswish"
    " hardswish Hardtanh hardtanh Hardshrink hardshrink Tanh tanh Tanhshrink tanhshrink Softplus softplus"
    " Softshrink softshrink Softsign softsign Threshold threshold",
    "netc_std.softmax": "Softmax softmax LogSoftmax log_softmax Softmin softmin gumbel_softmax Softmax2d GLU glu",
    "netc_std.dropout": "Dropout dropout Dropout1d dropout1d Dropout2d dropout2d Dropout3d dropout3d AlphaDropout"
    " alpha_dropout FeatureAlphaDropout feature_alpha_dropout",
    "netc_std.shaping": "Flatten flatten Unflatten unflatten Reshape reshape Permute permute Transpose transpose"
    " Squeeze squeeze Unsqueeze unsqueeze",
    "netc_std.joining": "cat stack chunk split select narrow repeat tile expand",
    "netc_std.arithmetic": "add sub mul div maximum minimum abs neg sign floor ceil round square exp expm1 log"
    " log1p sqrt rsqrt reciprocal sin cos erf detach clamp add_scalar sub_scalar rsub_scalar mul_scalar div_scalar"
    " rdiv_scalar pow",
    "netc_std.noise": "randn_like rand_like randn GaussianNoise",
    "netc_std.counting": "positions",
    "netc_std.reduction": "mean sum amax amin logsumexp var std argmax cumsum flip roll normalize",
    "netc_std.product": "matmul bmm einsum scaled_dot_product_attention",
    "netc_std.attention": "MultiheadAttention",
    "netc_std.transformer": "TransformerEncoderLayer TransformerDecoderLayer Transformer",
    "netc_std.similarity": "CosineSimilarity cosine_similarity PairwiseDistance pairwise_distance",
    "netc_std.folding": "Unfold unfold Fold fold",
    "netc_std.sampling": "grid_sample affine_grid",
    "netc_std.objectives": "triplet_margin_loss cosine_embedding_loss margin_ranking_loss gaussian_nll_loss ctc_loss",
    "netc_std.recurrent": "RNN GRU LSTM RNNCell GRUCell LSTMCell",
    "netc_std.resampling": "Upsample interpolate PixelShuffle pixel_shuffle PixelUnshuffle pixel_unshuffle"
    " ChannelShuffle channel_shuffle",
    "netc_std.padding": "ZeroPad ConstantPad ReflectionPad ReplicationPad CircularPad pad",
}

# What Keras, TensorFlow, Caffe and others call a layer, and PyTorch's methods with another name. The number of
# dimensions is taken off before a name is looked up.
FOREIGN = {
    "Convolution": "Conv",
    "Deconv": "ConvTranspose",
    "Deconvolution": "ConvTranspose",
    "TransposedConv": "ConvTranspose",
    "conv": "Conv",
    "conv_transpose": "ConvTranspose",
    "Dense": "Linear",
    "FC": "Linear",
    "FullyConnected": "Linear",
    "InnerProduct": "Linear",
    "MaxPooling": "MaxPool",
    "AveragePooling": "AvgPool",
    "AvgPooling": "AvgPool",
    "GlobalAveragePooling": "AdaptiveAvgPool(1)",
    "GlobalAvgPool": "AdaptiveAvgPool(1)",
    "GlobalMaxPooling": "AdaptiveMaxPool(1)",
    "GlobalMaxPool": "AdaptiveMaxPool(1)",
    "BN": "BatchNorm",
    "BatchNormalization": "BatchNorm",
    "LayerNormalization": "LayerNorm",
    "GroupNormalization": "GroupNorm",
    "LRN": "LocalResponseNorm",
    "batch_norm": "BatchNorm",
    "layer_norm": "LayerNorm",
    "group_norm": "GroupNorm",
    "instance_norm": "InstanceNorm",
    "embedding": "Embedding",
    "SimpleRNN": "RNN",
    "Swish": "SiLU",
    "swish": "silu",
    "UpSampling": "Upsample",
    "ZeroPadding": "ZeroPad",
    "Add": "fork add",
    "Concatenate": "fork cat",
    "Concat": "fork cat",
    "concat": "cat",
    "concatenate": "cat",
    "view": "reshape",
    "subtract": "sub",
    "multiply": "mul",
    "divide": "div",
}

LOSSES = {
    "netc_std.losses": "CrossEntropyLoss NLLLoss MultiMarginLoss MSELoss L1Loss SmoothL1Loss HuberLoss BCELoss"
    " BCEWithLogitsLoss MultiLabelSoftMarginLoss KLDivLoss PoissonNLLLoss SoftMarginLoss HingeEmbeddingLoss",
    "netc_std.comparing": "TripletMarginLoss CosineEmbeddingLoss MarginRankingLoss GaussianKLDivLoss Mean",
}
OPTIMIZERS = {
    "netc_std.optimizers": "SGD Adam AdamW Adadelta Adagrad RMSprop Adamax NAdam RAdam SparseAdam ASGD Rprop Adafactor"
    " Muon LBFGS",
}
SCHEDULES = {
    "netc_std.schedules": "StepLR MultiStepLR ExponentialLR CosineAnnealingLR LinearLR ConstantLR PolynomialLR"
    " CosineAnnealingWarmRestarts OneCycleLR CyclicLR"
    " ReduceLROnPlateau cosine linear polynomial warmup",
}
TRANSFORMS = {
    "netc_std.transforms": "Resize CenterCrop Pad RandomCrop RandomResizedCrop RandomHorizontalFlip RandomVerticalFlip"
    " RandomRotation RandomAffine RandomPerspective ElasticTransform RandomErasing GaussianBlur GaussianNoise"
    " RandomGrayscale ColorJitter RandomPhotometricDistort RandomInvert RandomPosterize"
    " RandomSolarize RandomAdjustSharpness RandomAutocontrast RandomEqualize RandAugment TrivialAugmentWide AugMix"
    " MixUp CutMix",
}
METRICS = {"netc_std.metrics": "Accuracy TopK Precision Recall F1 IoU ConfusionMatrix BinaryAccuracy MAE RMSE PSNR R2"}
DATA = {
    "netc_std.images": "MNIST FashionMNIST KMNIST QMNIST EMNIST USPS CIFAR10 CIFAR100 SVHN STL10 SEMEION FER2013 PCAM",
    "netc_std.data": "Digits Polynomial",
    "netc_std.comparisons": "DigitPairs DigitTriplets",
    "netc_std.tasks": "AddingProblem PointSets Discs PicturesWithTables Edges",
    "netc_std.text": "Sentences TextFile",
    "netc_std.tables": "CSV NumPy",
    "netc_std.functions": "Function",
    "netc_std.folders": "ImageFolder",
    "netc_std.imagefiles": "Caltech101 Caltech256 CLEVRClassification Country211 DTD EuroSAT FGVCAircraft Flowers102"
    " Food101 GTSRB Imagenette ImageNet INaturalist LFWPeople Omniglot Places365 RenderedSST2 StanfordCars"
    " SUN397",
    "netc_std.masks": "Cityscapes OxfordIIITPet VOCSegmentation",
}
INITIALIZERS = {
    "netc_std.initializers": "uniform normal trunc_normal constant ones zeros eye dirac xavier_uniform xavier_normal"
    " kaiming_uniform kaiming_normal orthogonal sparse",
}


def by_name(table: Mapping[str, str]) -> dict[str, str]:
    """The module of each name."""
    return {name: module for module, names in table.items() for name in names.split()}


@hookimpl
def netc_layers() -> dict[str, str]:
    return by_name(LAYERS)


@hookimpl
def netc_foreign_names() -> dict[str, str]:
    return FOREIGN


@hookimpl
def netc_losses() -> dict[str, str]:
    return by_name(LOSSES)


@hookimpl
def netc_optimizers() -> dict[str, str]:
    return by_name(OPTIMIZERS)


@hookimpl
def netc_schedules() -> dict[str, str]:
    return by_name(SCHEDULES)


@hookimpl
def netc_data() -> dict[str, str]:
    return by_name(DATA)


@hookimpl
def netc_transforms() -> dict[str, str]:
    return by_name(TRANSFORMS)


@hookimpl
def netc_metrics() -> dict[str, str]:
    return by_name(METRICS)


@hookimpl
def netc_initializers() -> dict[str, str]:
    return by_name(INITIALIZERS)
