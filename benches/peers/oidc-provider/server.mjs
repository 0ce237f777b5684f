// oidc-provider with its adapter in memory, as a peer for `benches/run edge`: prints its port once it listens.
//
//   cd benches/peers/oidc-provider && npm install && cd - && benches/run edge
import { Provider } from 'oidc-provider';

const [id, secret] = process.argv.slice(2);
const provider = new Provider('http://127.0.0.1', {
  clients: [{
    client_id: id,
    client_secret: secret,
    grant_types: ['client_credentials'],
    redirect_uris: [],
    response_types: [],
    scope: 'read write',
    token_endpoint_auth_method: 'client_secret_basic',
  }],
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    introspection: { enabled: true },
  },
  scopes: ['read', 'write'],
  ttl: { ClientCredentials: 43200 },
});
const server = provider.listen(0, '127.0.0.1', () => console.log(server.address().port));
server.keepAliveTimeout = 0;
