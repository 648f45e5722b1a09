"""Images a second of a ViT-B/32-shaped image tower in PyTorch, fp16 on CUDA: what the GPU bench compares with.

Prints one JSON object. Needs torch and a CUDA card; random weights, batch and rounds from the command line.
"""
import json
import sys
import time

try:
    import torch
except ImportError:
    print(json.dumps({"skipped": "PyTorch is not installed"}))
    sys.exit()
if not torch.cuda.is_available():
    print(json.dumps({"skipped": "PyTorch sees no CUDA card"}))
    sys.exit()


class Tower(torch.nn.Module):
    """pixel_values (B,3,224,224) -> embeddings (B,512); 12 pre-LN layers of width 768, as CLIP ViT-B/32."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = torch.nn.Conv2d(3, 768, 32, 32, bias=False)
        self.first = torch.nn.Parameter(torch.randn(1, 1, 768) * 0.02)
        self.places = torch.nn.Parameter(torch.randn(1, 50, 768) * 0.02)
        self.before = torch.nn.LayerNorm(768)
        layer = torch.nn.TransformerEncoderLayer(768, 12, 3072, 0.0, "gelu", batch_first=True, norm_first=True)
        self.layers = torch.nn.TransformerEncoder(layer, 12, enable_nested_tensor=False)
        self.after, self.head = torch.nn.LayerNorm(768), torch.nn.Linear(768, 512, bias=False)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        x = self.patches(pixels).flatten(2).transpose(1, 2)
        x = torch.cat([self.first.expand(len(x), -1, -1), x], 1) + self.places
        return self.head(self.after(self.layers(self.before(x))[:, 0]))


batch, rounds = int(sys.argv[1]), int(sys.argv[2])
tower = Tower().half().cuda().eval()
pixels = torch.randn(batch, 3, 224, 224, device="cuda", dtype=torch.float16)
with torch.inference_mode():
    for _ in range(5):
        tower(pixels)
    torch.cuda.synchronize()
    start = time.perf_counter()
    for _ in range(rounds):
        tower(pixels)
    torch.cuda.synchronize()
print(json.dumps({"imagesPerSecond": batch * rounds / (time.perf_counter() - start), "card": torch.cuda.get_device_name()}))
