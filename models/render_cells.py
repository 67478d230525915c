import numpy as np
def draw(label, size, seed):
    r = np.random.default_rng(seed)
    y, x = np.mgrid[0:size, 0:size] / size
    img = np.full((size, size, 3), 225.0)
    for _ in range(12):
        c = r.random(2); s = r.uniform(.05, .2); d = ((x-c[0])**2+(y-c[1])**2)/s**2
        img -= (np.exp(-d**2)[..., None]) * r.uniform(0, 130, 3)
    return np.clip(img + r.normal(0, 3, img.shape), 0, 255).astype(np.uint8)
