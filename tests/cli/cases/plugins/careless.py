from netc.layer import Float, Layer


class Swirl(Layer):
    """Divides by zero."""

    module = "torch.nn.Identity"
    a = Float(0.5)

    def infer(self, input):
        return input.shape[0] // 0
