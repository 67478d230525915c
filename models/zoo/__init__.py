"""The test models: name -> a function that makes the network, and its input size.

Plain PyTorch after the papers, no torchvision or timm.  Each file says which paper.
"""

from . import densenet, efficientnet, mobilenet, resnet, swin, unet, vgg, vit

MODELS = {
    "resnet18": resnet.resnet18,
    "resnet50": resnet.resnet50,
    "vgg16": vgg.vgg16,
    "densenet121": densenet.densenet121,
    "mobilenetv2": mobilenet.mobilenetv2,
    "efficientnet_b0": efficientnet.efficientnet_b0,
    "vit_tiny": vit.vit_tiny,
    "swin_tiny": swin.swin_tiny,
    "unet": unet.unet,
    "unet_groupnorm": unet.unet_groupnorm,
}
SIZE = 224
