"""Steps of torch.optim.Adam and AdamW. torch 2.15.0 (CPU, float32): python3 scripts/golden/adam.py > test/golden/train/adam.json"""
import json, torch

def steps(optimizer, **options):
    p = torch.nn.Parameter(torch.tensor([0.5, -1.25, 2.0]))
    o = getattr(torch.optim, optimizer)([p], **options)
    x = torch.tensor([[1.0, 2.0, -1.0], [0.5, -0.25, 1.5], [2.0, 0.0, 1.0], [-1.0, 1.0, 0.5], [0.25, 0.75, -2.0]])
    t = torch.tensor([0.3, -1.0, 2.0, 0.1, 1.0])
    out = []
    for i in range(12):
        o.zero_grad()
        loss = (torch.tanh(x @ p) - t).pow(2).mean() * (1 + 0.1 * i)
        loss.backward()
        o.step()
        out.append({"loss": loss.item(), "parameter": p.detach().tolist()})
    return {"optimizer": optimizer, "options": options, "x": x.tolist(), "t": t.tolist(), "steps": out}

print(json.dumps({"torch": torch.__version__, "cases": [
    steps("Adam", lr=2e-3), steps("AdamW", lr=0.1, weight_decay=0.01), steps("Adam", lr=0.05, betas=[0.8, 0.99], eps=1e-6)]}))
