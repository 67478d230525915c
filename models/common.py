"""What the model scripts share: classes, preprocessing, seeded weights, settled batch-norms.

A picture goes into a network as Hugging Face's preprocessor_config.json says: Pillow's resize of
the shorter side, a crop from the middle, 1/255, mean and deviation.

`settle` draws seeded weights for a fresh network and takes its batch-norm statistics from drawn
cells, so that activations are of order 1, as in a trained network, and a comparison of two
implementations means something.
"""

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import nn

CLASSES = ("neutrophil", "eosinophil", "basophil", "lymphocyte", "monocyte",
           "immature granulocyte", "erythroblast", "platelet")
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)


def to_tensor(pictures):
    """RGB uint8 arrays [H, W, 3] of one size -> normalised float32 [N, 3, H, W]."""
    x = (np.stack(pictures) * (1 / 255)).astype(np.float32)         # uint8 * float64, as Hugging Face does
    x = (x - np.array(MEAN, np.float32)) / np.array(STD, np.float32)
    return torch.from_numpy(np.ascontiguousarray(x.transpose(0, 3, 1, 2)))


def preprocessor(size):
    """The preprocessor_config.json of a network with a size x size input."""
    return {
        "image_processor_type": "CLIPImageProcessor", "do_convert_rgb": True,
        "do_resize": True, "size": {"shortest_edge": round(size * 13 / 12)}, "resample": 2,
        "do_center_crop": True, "crop_size": {"height": size, "width": size},
        "do_rescale": True, "rescale_factor": 1 / 255,
        "do_normalize": True, "image_mean": list(MEAN), "image_std": list(STD),
    }


def resized(image, shortest):
    """RGB, upright, the shorter side at `shortest`: what precedes the crop."""
    image = ImageOps.exif_transpose(image).convert("RGB")
    short, long = sorted(image.size)
    far = int(shortest * long / short)
    to = (shortest, far) if image.width <= image.height else (far, shortest)
    return image.resize(to, Image.BILINEAR)


def middle(array, side):
    """The central side x side pixels of [H, W, 3]."""
    top, left = (array.shape[0] - side) // 2, (array.shape[1] - side) // 2
    return array[top:top + side, left:left + side]


def prepare(image, size):
    """A Pillow image -> uint8 [size, size, 3], as preprocessor(size) says, before the rescale."""
    return middle(np.asarray(resized(image, round(size * 13 / 12))), size)


def drawn_batch(count, size, seed=0):
    """`count` drawn cells, classes in turn, as a network's input [count, 3, size, size]."""
    import render_cells
    return to_tensor([render_cells.draw(CLASSES[i % len(CLASSES)], size, seed * 100003 + i)
                      for i in range(count)])


def weights(model, seed):
    """He initialisation, seeded; random scales and shifts in every normalisation.

    What makes the scores of an attention starts smaller, so that softmax spreads as it does in
    trained networks: a hard choice between near ties would magnify rounding.
    """
    g = torch.Generator().manual_seed(seed)

    def normal(t, std):
        with torch.no_grad():
            t.copy_(torch.randn(t.shape, generator=g) * std)

    for name, module in model.named_modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            fan_in = module.weight[0].numel()
            attends = name.rsplit(".", 1)[-1] in ("query", "key", "value")
            gain = 2.0 if isinstance(module, nn.Conv2d) and not attends else 1.0
            normal(module.weight, (gain / fan_in) ** 0.5)
            if module.bias is not None:
                normal(module.bias, 0.1)
        elif isinstance(module, nn.MultiheadAttention):
            normal(module.in_proj_weight, module.embed_dim ** -0.5)
            normal(module.in_proj_bias, 0.1)
        elif isinstance(module, (nn.BatchNorm2d, nn.LayerNorm, nn.GroupNorm, nn.InstanceNorm2d)):
            with torch.no_grad():
                module.weight.copy_(0.75 + 0.5 * torch.rand(module.weight.shape, generator=g))
            normal(module.bias, 0.1)
    for name, parameter in model.named_parameters():
        if name.rsplit(".", 1)[-1] in ("rel_h", "rel_w"):
            normal(parameter, 0.5 if parameter.dim() == 5 else parameter.shape[-1] ** -0.5)


def take_statistics(norm, inputs):
    """A batch-norm's statistics from what it is about to see.

    A channel that hardly varies on these few pictures is not blown up to unit size, for that would
    magnify the rounding of all layers before it.
    """
    x = inputs[0]
    mean, var = x.mean(dim=(0, 2, 3)), x.var(dim=(0, 2, 3))
    norm.running_mean.copy_(mean)
    norm.running_var.copy_(var.clamp(min=float(var.mean()) * 0.1))


def settle(model, size, seed=1, count=8, noisy=4):
    """Seeded weights, batch-norm statistics from drawn cells; returns the model in eval mode.

    A few pictures of noise are among them: checks feed noise too, and its many small details would
    otherwise be far outside of what the network is set for.
    """
    weights(model, seed)
    model.eval()
    hooks = [m.register_forward_pre_hook(take_statistics) for m in model.modules()
             if isinstance(m, nn.BatchNorm2d)]
    if hooks:
        with torch.no_grad():
            noise = torch.randn(noisy, 3, size, size, generator=torch.Generator().manual_seed(seed))
            model(torch.cat([drawn_batch(count, size, seed), noise]))
        for hook in hooks:
            hook.remove()
    return model
