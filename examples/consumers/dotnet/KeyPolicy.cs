using System.ClientModel;
using System.ClientModel.Primitives;

/// <summary>For Azure.AI.OpenAI and OpenAI: sends the key in use, and repeats a call once after a 401.</summary>
public sealed class KeyPolicy(RotatingKey key, ApiKeyCredential credential) : PipelinePolicy
{
    public override void Process(PipelineMessage message, IReadOnlyList<PipelinePolicy> pipeline, int currentIndex) =>
        ProcessAsync(message, pipeline, currentIndex).AsTask().GetAwaiter().GetResult();

    public override async ValueTask ProcessAsync(PipelineMessage message, IReadOnlyList<PipelinePolicy> pipeline, int currentIndex)
    {
        var used = Update();
        await ProcessNextAsync(message, pipeline, currentIndex);
        if (message.Response?.Status != 401) return;
        if (await key.ReplaceAsync(used) == used) return;
        Update();
        await ProcessNextAsync(message, pipeline, currentIndex);
    }

    /// <summary>Puts the key in use into the credential, and returns it.</summary>
    private string Update()
    {
        lock (credential) // so that no thread puts an older key back
        {
            var used = key.Value;
            credential.Update(used);
            return used;
        }
    }
}
