import time
from services.task.tests import annotation_scene as stage
from frameyard.annotation.v1 import annotation_service_pb2 as messages
from frameyard.annotation.v1 import annotation_pb2 as annotation
from services.task.tests.annotation_scene import some, key
import uuid

async def test_probe(settings_for):
    async with stage.scene(settings_for) as scene:
        calls = []
        tx = type(None)
        from yard.runtime import db as dbm
        orig = {}
        for name in ("fetch","fetchrow","fetchval","execute","copy_records"):
            f = getattr(dbm.Transaction, name)
            def make(f, name):
                async def g(self, *a, **k):
                    t=time.perf_counter()
                    try: return await f(self, *a, **k)
                    finally: calls.append((name, str(a[0]).strip()[:50].replace("\n"," "), time.perf_counter()-t))
                return g
            orig[name]=f
            setattr(dbm.Transaction, name, make(f, name))
        client = scene.as_(stage.OWNER)
        n=10000
        async def timed(label, call):
            calls.clear()
            t=time.perf_counter(); r = await call; dt=time.perf_counter()-t
            print(f"{label}: {dt:.3f}s, statements {len(calls)}, sql {sum(c[2] for c in calls):.3f}")
            return r
        for rnd in range(2):
            shapes=[scene.box(f%100, f%500, 10, f%500+50, 40+rnd, attributes=stage.values({scene.colour:"blue"})) for f in range(n)]
            put = messages.PutAnnotationsRequest(target=scene.job(0), annotations=some(*shapes), request_id=str(uuid.uuid4()))
            r = await timed("put 10k", client.PutAnnotations(put))
            for c in calls: 
                if c[2] > 0.01: print("   ", c)
            put2 = messages.PutAnnotationsRequest(target=scene.job(0), annotations=some(*shapes))
            await timed("put same", client.PutAnnotations(put2))
            p = messages.PatchAnnotationsRequest(target=scene.job(0), create=some(*shapes))
            r2 = await timed("patch create 10k", client.PatchAnnotations(p))
            for s in r2.created.shapes: s.points[0] += 0.25
            await timed("patch update 10k", client.PatchAnnotations(messages.PatchAnnotationsRequest(target=scene.job(0), update=r2.created)))
            await timed("patch delete 10k", client.PatchAnnotations(messages.PatchAnnotationsRequest(target=scene.job(0), delete=r2.created)))
            await timed("get 10k", client.GetAnnotations(messages.GetAnnotationsRequest(target=scene.job(0))))
            async def st():
                k=0
                async for x in client.StreamAnnotations(messages.StreamAnnotationsRequest(target=scene.job(0))): k+=1
                return k
            await timed("stream 10k", st())
            await timed("get task", client.GetAnnotations(messages.GetAnnotationsRequest(target=scene.task)))
            await timed("patch one at task", client.PatchAnnotations(messages.PatchAnnotationsRequest(target=scene.task, delete=some(r.annotations.shapes[0]))))
            await timed("patch one at job", client.PatchAnnotations(messages.PatchAnnotationsRequest(target=scene.job(0), delete=some(r.annotations.shapes[1]))))
        tshapes=[scene.box(f%240, f%500, 10, f%500+50, 40+rnd) for f in range(n)]
        await timed("put task 10k over 3 jobs", client.PutAnnotations(messages.PutAnnotationsRequest(target=scene.task, annotations=some(*tshapes))))
        for name,f in orig.items(): setattr(dbm.Transaction, name, f)
