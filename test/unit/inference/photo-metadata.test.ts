/** Reads EXIF blocks made by libvips: dates, cameras, exposure, places, and what may not be believed. */
import assert from 'node:assert/strict';
import test from 'node:test';
import sharp, { type Exif } from 'sharp';
import {
  noCameraMetadata,
  readCameraMetadata,
  type CameraMetadata,
} from '../../../main/engine/inference/photo-metadata.ts';

async function metadataOf(exif: Exif): Promise<CameraMetadata> {
  const file = await sharp({ create: { width: 2, height: 2, channels: 3, background: '#000' } })
    .withExif(exif)
    .jpeg()
    .toBuffer();
  const block = (await sharp(file).metadata()).exif;
  assert.ok(block !== undefined);
  return readCameraMetadata(block);
}

test('the camera clock is read as UTC, whatever offset stands beside it', async () => {
  const { takenAt } = await metadataOf({
    IFD2: { DateTimeOriginal: '2023:06:17 14:05:09', OffsetTimeOriginal: '+09:00' },
  });
  assert.equal(takenAt, Date.UTC(2023, 5, 17, 14, 5, 9));
});

test('the moment of exposure goes before that of scanning and that of editing', async () => {
  const all = await metadataOf({
    IFD0: { DateTime: '2022:01:01 00:00:00' },
    IFD2: { DateTimeOriginal: '1999:12:31 23:59:59', DateTimeDigitized: '2010:05:05 05:05:05' },
  });
  assert.equal(all.takenAt, Date.UTC(1999, 11, 31, 23, 59, 59));
  const edited = await metadataOf({ IFD0: { DateTime: '2022:01:01 00:00:00' } });
  assert.equal(edited.takenAt, Date.UTC(2022, 0, 1));
});

test('dates that no clock showed are not believed', async () => {
  for (const date of [
    '0000:00:00 00:00:00',
    '1854:01:01 00:00:00',
    '2023:02:31 10:00:00',
    '    :  :     :  :  ',
    'yesterday',
  ]) {
    assert.equal((await metadataOf({ IFD2: { DateTimeOriginal: date } })).takenAt, null, date);
  }
});

test('make and model are joined without repeating the brand', async () => {
  const named = async (Make: string, Model: string): Promise<string | null> =>
    (await metadataOf({ IFD0: { Make, Model } })).camera;
  assert.equal(await named('NIKON CORPORATION', 'NIKON D70'), 'NIKON D70');
  assert.equal(await named('Apple', 'iPhone 12'), 'Apple iPhone 12');
  assert.equal(await named('Canon', 'Canon EOS 30D   '), 'Canon EOS 30D');
  assert.equal((await metadataOf({ IFD0: { Model: 'X100' } })).camera, 'X100');
});

test('places carry the sign of their hemisphere', async () => {
  const at = async (
    latitude: string,
    n: string,
    longitude: string,
    e: string,
  ): Promise<(number | null)[]> => {
    const found = await metadataOf({
      IFD3: {
        GPSLatitude: latitude,
        GPSLatitudeRef: n,
        GPSLongitude: longitude,
        GPSLongitudeRef: e,
      },
    });
    return [found.latitude, found.longitude];
  };
  const [latitude, longitude] = await at('33/1 51/1 3600/100', 'S', '151/1 12/1 0/1', 'E');
  assert.ok(Math.abs((latitude ?? 0) + 33.86) < 1e-6);
  assert.ok(Math.abs((longitude ?? 0) - 151.2) < 1e-6);
  assert.deepEqual(await at('0/1 0/1 0/1', 'N', '0/1 0/1 0/1', 'E'), [null, null]);
  assert.deepEqual(await at('91/1 0/1 0/1', 'N', '10/1 0/1 0/1', 'E'), [null, null]);
});

test('exposure values outside of what cameras do are left out', async () => {
  const found = await metadataOf({
    IFD2: { ExposureTime: '1/250', FNumber: '0/0', ISOSpeedRatings: '400', FocalLength: '50/1' },
  });
  assert.equal(found.exposureSeconds, 1 / 250);
  assert.equal(found.fNumber, null);
  assert.equal(found.iso, 400);
  assert.equal(found.focalLengthMm, 50);
});

test('damaged blocks give nothing and throw nothing', () => {
  assert.deepEqual(readCameraMetadata(new Uint8Array(0)), noCameraMetadata);
  assert.deepEqual(
    readCameraMetadata(Buffer.from('Exif\0\0II*\0\xff\xff\xff\xff', 'latin1')),
    noCameraMetadata,
  );
  // Every cut and every flipped byte of a real block.
  const block = Buffer.from(
    '4d4d002a00000008000201100002000000054e31303000000132000200000014000000260000000000003230' +
      '30303a30313a30312030303a30303a303000',
    'hex',
  );
  for (let i = 0; i < block.length; i++) {
    readCameraMetadata(block.subarray(0, i));
    const flipped = Uint8Array.from(block);
    flipped[i] = 0xff;
    readCameraMetadata(flipped);
  }
});
