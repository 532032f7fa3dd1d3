using Azure;
using Azure.Security.KeyVault.Secrets;
using Microsoft.Extensions.Logging;

/// <summary>A key from Key Vault that follows its rotation. Register it as a singleton.</summary>
public sealed class RotatingKey(SecretClient vault, string name, KeyVaultSecret first, ILogger log) : IDisposable
{
    private readonly SemaphoreSlim _lock = new(1, 1);
    private readonly CancellationTokenSource _stop = new();
    private volatile KeyVaultSecret _secret = first;
    private TimeSpan _pause = TimeSpan.FromSeconds(1);
    private DateTimeOffset _notBefore;

    public string Value => _secret.Value;
    public string Version => _secret.Properties.Version;

    /// <summary>Reads the secret, then again every <paramref name="every"/> and after a 401.</summary>
    /// <exception cref="RequestFailedException">The first read fails.</exception>
    public static async Task<RotatingKey> OpenAsync(SecretClient vault, string name, TimeSpan every, ILogger log)
    {
        KeyVaultSecret first = await vault.GetSecretAsync(name); // without a version: the latest one
        var key = new RotatingKey(vault, name, first, log);
        _ = key.FollowAsync(every);
        return key;
    }

    /// <summary>Returns the key to use after a 401. Of many callers one reads, and not too often.</summary>
    public async ValueTask<string> ReplaceAsync(string rejected)
    {
        await _lock.WaitAsync();
        try
        {
            if (Value == rejected && DateTimeOffset.UtcNow >= _notBefore)
            {
                await ReadAsync();
                _pause = Value != rejected ? TimeSpan.FromSeconds(1)
                    : TimeSpan.FromSeconds(Math.Min(2 * _pause.TotalSeconds, 30));
                _notBefore = DateTimeOffset.UtcNow + _pause;
            }
            return Value;
        }
        finally { _lock.Release(); }
    }

    /// <summary>Reads the latest version. If that fails, keeps the key and returns false.</summary>
    private async Task<bool> ReadAsync()
    {
        try
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10));
            KeyVaultSecret latest = await vault.GetSecretAsync(name, cancellationToken: limit.Token);
            if (latest.Properties.Version != Version) log.LogInformation("{Secret}: version {Version} is in use", name, latest.Properties.Version);
            _secret = latest;
            return true;
        }
        catch (Exception error) when (error is RequestFailedException or OperationCanceledException or Azure.Identity.AuthenticationFailedException)
        {
            log.LogWarning("{Secret} cannot be read: {Error}", name, error.GetType().Name);
            return false;
        }
    }

    private async Task FollowAsync(TimeSpan every)
    {
        var wait = every;
        while (!_stop.IsCancellationRequested)
        {
            await Task.Delay(wait * (0.5 + Random.Shared.NextDouble() / 2), _stop.Token); // not all at once
            await _lock.WaitAsync(_stop.Token);
            try { wait = await ReadAsync() || every < TimeSpan.FromSeconds(30) ? every : TimeSpan.FromSeconds(30); }
            finally { _lock.Release(); }
        }
    }

    public void Dispose() => _stop.Cancel();
}
